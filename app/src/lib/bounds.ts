import type { Guard, HardBounds } from '@/generated'
import { CEILINGS } from '@/lib/direction'
import { namedPart } from '@/lib/field'

/** What a number may be, and why. */
export interface Bounds {
  min: bigint
  max: bigint
  why: string
}

export const U64_MAX = (1n << 64n) - 1n
export const BPS = 10_000n

/** What a hard bound of the guard holds: these fields of these groups, from above or from below. */
export interface Hold {
  groups: readonly number[]
  names: RegExp
  side: 'max' | 'min'
  /** The field beside it of which the bound is a share; none where it is the number itself. */
  shareOf?: string
}

const max = (names: RegExp, ...groups: number[]): Hold => ({ groups, names, side: 'max' })
const min = (names: RegExp, ...groups: number[]): Hold => ({ groups, names, side: 'min' })

/**
 * What each hard bound holds, or where else it counts. A bound without a line here doesn't compile.
 *
 * Source: `validate` of each value in `programs/rampart/src/state`, `target::validate`.
 */
export const HOLDS: Readonly<Record<Exclude<keyof HardBounds, 'reserved'>, Hold | string>> = {
  maxOracleAgeSecs: max(/^sources\.\d+\.maxAgeSecs$/, 5, 12),
  maxRuleDurationSecs: max(/^durationSecs$/, 4),
  minLoosenDelaySecs: min(/^delaySecs$/, 8),
  maxExecutionWindowSecs: 'how long a ripe change may be executed',
  maxPauseSecs: 'how long one pause may last',
  maxGuardianPauseSecs: 'a guardian’s budget of pauses',
  maxGuardPauseSecs: 'the budget of pauses of all',
  quorumReserveSecs: 'the quorum’s part of that budget',
  minWarmUpSecs: min(/^warmUpSecs$/, 11),
  maxConfidenceBps: max(/^(maxDisagreeBps|sources\.\d+\.maxConfidenceBps)$/, 5, 12),
  maxHourlyOutflowBps: max(/^(loan|collateral)Flow\.hourlyBps$/, 2),
  maxDailyOutflowBps: max(/^(loan|collateral)Flow\.dailyBps$/, 2),
  minExitFloorBps: min(/^exitFloorBps$/, 2),
  maxLtvBps: max(/^ltvBps$/, 1),
  // no bonus is above the highest one
  maxBonusBps: max(/^(soft|min|max)BonusBps$/, 1),
  maxEffectBps: 'how far one change may move a value, where its effect is tried',
  maxTightenStepBps: 'how far a tightening at once may go in a day',
  maxSlippageBps: max(/^maxSlippageBps$/, 15),
  maxSwapLossBps: { ...max(/^lossDayMicroUsd$/, 15), shareOf: 'maxDayMicroUsd' },
}

/** Bounds of the program that no guard widens. Source: `constants.rs`, `MAX_RATE_BPS`. */
const PROGRAM: readonly (Hold & { value: bigint })[] = [
  { ...max(/^delaySecs$/, 8), value: 2_592_000n },
  { ...max(/^warmUpSecs$/, 11), value: 7_776_000n },
  { ...max(/^maxOracleAgeSecs$/, 15), value: 30n },
  { ...max(/^(base|kink|max)RateBps$/, 3), value: 100_000n },
]

const isHeld = ({ groups, names }: Hold, group: number, path: readonly string[]): boolean => groups.includes(group) && names.test(path.join('.'))

/** Which number a bound comes to: itself, or its share of the field beside. */
function valueOf({ shareOf }: Hold, bound: number, value: unknown): bigint {
  if (shareOf === undefined) return BigInt(bound)
  const whole: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, shareOf) : undefined
  return typeof whole === 'bigint' ? (whole * BigInt(bound)) / BPS : U64_MAX
}

/** A number's place: its group, its path, and the value that it is a part of, as it would be. */
export interface Place {
  group: number
  path: readonly string[]
  value: unknown
  /** Largest number that it holds on chain. */
  size: bigint
}

/** Returns the hard bounds of a number: of its size, of the program and of the guard. */
export function hardBounds({ group, path, value, size }: Place, { bounds }: Guard): Bounds {
  const name = namedPart(path)
  const isShare = name.endsWith('Bps') && !name.includes('Rate')
  let held: Bounds = isShare && BPS < size ? { min: 0n, max: BPS, why: 'a share' } : { min: 0n, max: size, why: 'its size on chain' }
  const hold = (side: Hold['side'], bound: bigint, why: string) => {
    if (side === 'max' ? bound < held.max : bound > held.min) held = { ...held, [side]: bound, why }
  }
  for (const one of PROGRAM) if (isHeld(one, group, path)) hold(one.side, one.value, 'a bound of the program')
  for (const [key, one] of Object.entries(HOLDS)) {
    if (typeof one !== 'string' && isHeld(one, group, path)) hold(one.side, valueOf(one, bounds[key as keyof typeof HOLDS], value), 'a hard bound of the guard')
  }
  return held
}

/** Groups whose fields may move by a share of themselves only, when they are executed. Source: `effect::require_bounded`. */
const NEAR: Record<number, (path: readonly string[]) => boolean> = {
  1: (path) => ['ltvBps', 'liquidationLineBps', 'targetLtvBps', 'fullCloseLtvBps'].includes(path[0] ?? ''),
  2: (path) => !/CapAmount$/.test(path[0] ?? ''),
  10: (path) => ['limitMicroUsd', 'vaultShareBps'].includes(path[0] ?? ''),
  18: (path) => /^floor/.test(path[0] ?? ''),
}

const shareOf = (now: bigint, bps: number): bigint => (now * BigInt(bps)) / BPS
const lower = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const higher = (a: bigint, b: bigint): bigint => (a > b ? a : b)

function within(hard: Bounds, near: Omit<Bounds, 'why'>, why: string): Bounds {
  const isNearer = near.min > hard.min || near.max < hard.max
  return { min: higher(near.min, hard.min), max: lower(near.max, hard.max), why: isNearer ? why : hard.why }
}

/** What a number may be set to: `any` at all, and `proposed` by a change that waits. */
export interface Room {
  any: Bounds
  proposed: Bounds
}

/**
 * Returns what a number may be set to: within its size and the hard bounds and, where its effect is tried, near what it is. A limit
 * of which less is stricter may fall further at once than by a change that waits.
 */
export function roomOf(place: Place, now: bigint, guard: Guard): Room {
  const hard = hardBounds(place, guard)
  const { group, path } = place
  if (NEAR[group]?.(path) !== true) return { any: hard, proposed: hard }
  const step = shareOf(now, guard.bounds.maxEffectBps)
  const fields = path.filter((part) => !/^\d+$/.test(part)).join('.')
  const fall = (CEILINGS[group] ?? []).includes(fields) ? higher(step, shareOf(now, guard.bounds.maxTightenStepBps)) : step
  const why = 'how far one change may move it'
  return { any: within(hard, { min: now - fall, max: now + step }, why), proposed: within(hard, { min: now - step, max: now + step }, why) }
}
