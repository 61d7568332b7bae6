import { type Move, movesBetween } from '@/lib/change'

const each = (structs: readonly string[], fields: readonly string[]): string[] => structs.flatMap((struct) => fields.map((field) => `${struct}.${field}`))
const FLOWS = each(['loanFlow', 'collateralFlow', 'inflow'], ['absoluteFloorAmount', 'hourlyBps', 'dailyBps'])
const SOURCES = each(['sources'], ['maxAgeSecs', 'maxConfidenceBps'])

/** Fields of which less is stricter, by group; a place in a list is left out of a field's name. Source: `state/direction.rs`. */
export const CEILINGS: Readonly<Record<number, readonly string[]>> = {
  1: ['ltvBps'],
  2: ['supplyCapAmount', 'borrowCapAmount', 'collateralCapAmount', ...FLOWS],
  4: ['minPersistSecs', 'minObservations'],
  5: ['maxDisagreeBps', 'rate.maxAgeEpochs', ...SOURCES],
  6: ['maxAgeSecs'],
  10: ['limitMicroUsd', 'vaultShareBps'],
  12: SOURCES,
  15: ['maxSwapMicroUsd', 'maxDayMicroUsd', 'lossDayMicroUsd', 'twoSourcesMicroUsd', 'maxOracleAgeSecs', 'maxSlippageBps', 'switch'],
  18: ['floorLtvBps', 'floorCapBps', 'volatility.calmBps'],
}

/** Fields of which more is stricter, by group. */
export const FLOORS: Readonly<Record<number, readonly string[]>> = {
  4: ['maxGapSecs', 'durationSecs', 'minDwellSecs', 'level', 'switch'],
  5: ['required'],
  6: ['minSamples'],
  8: ['delaySecs'],
  10: ['switch'],
  11: ['warmUpSecs'],
  15: ['cooldownSecs'],
  18: [...each(['volatility'], ['slopeBps', 'switch']), ...each(['ltv', 'cap'], ['slopeBps', 'hourBps', 'dayBps', 'switch'])],
}

const RULE = 4
const BELOW = 2
const isLine = (field: string): boolean => field === 'threshold' || field === 'clearThreshold'

/** Tells whether a rule is true below its threshold, as it stands. */
function isBelow(current: unknown): boolean {
  return typeof current === 'object' && current !== null && 'comparator' in current && current.comparator === BELOW
}

function isTighter(group: number, { path, from, to }: Move, current: unknown): boolean {
  if (from === undefined || typeof from === 'string' || typeof to === 'string') return false
  const [was, shall] = [BigInt(from), BigInt(to)]
  const field = path.filter((part) => !/^\d+$/.test(part)).join('.')
  const isOfLines = group === RULE && isLine(field)
  if (isOfLines ? isBelow(current) : (FLOORS[group] ?? []).includes(field)) return shall > was
  return (isOfLines || (CEILINGS[group] ?? []).includes(field)) && shall < was
}

/** Returns the moves that don't get stricter: they wait, and so does all that moves with them. */
export function looserOf(group: number, moves: readonly Move[], current: unknown): readonly Move[] {
  return moves.filter((move) => !isTighter(group, move, current))
}

/**
 * Returns the direction of the move between two values of a group, as the program will judge it: 1 where nothing moves, 2 where
 * every field that moves gets stricter, else 3. A field without a strict side counts as looser whichever way it moves.
 */
export function directionOf(group: number, current: unknown, next: unknown): 1 | 2 | 3 {
  const { moves } = movesBetween(group, current, next)
  if (moves.length === 0) return 1
  return looserOf(group, moves, current).length === 0 ? 2 : 3
}
