import { type Encoder, type Instruction, address, createNoopSigner, getProgramDerivedAddress, getAddressEncoder, getU32Encoder, getU64Encoder, getUtf8Encoder } from '@solana/kit'
import * as generated from '@/generated'
import { type ChangeArgs, type Guard, RAMPART_PROGRAM_ADDRESS, getProposeChangeInstruction } from '@/generated'
import type { Held } from '@/lib/accounts'
import { formatAmount } from '@/lib/amount'
import { type Leaf, type Move, type Targets, currentOf, groupName, leavesOf, rootOf } from '@/lib/change'
import { EVENT_AUTHORITY } from '@/lib/exported'
import type { FieldContext } from '@/lib/field'

/** A group that can be proposed from a form. */
interface Form {
  /** Its name in the program's enum. */
  kind: ChangeArgs['__kind']
  /** Lays the value out as the program stores it. */
  encoder: Encoder<never>
  /** The accounts that it may be about. */
  targets: (targets: Targets) => readonly Held<unknown>[]
}

// Groups without a form hold keys, or sources that have to be read: those are proposed with a client.
const FORMS: Record<number, Form> = {
  1: { kind: 'VaultRisk', encoder: generated.getRiskParamsEncoder(), targets: ({ vaults }) => vaults },
  2: { kind: 'VaultLimits', encoder: generated.getVaultLimitsEncoder(), targets: ({ vaults }) => vaults },
  3: { kind: 'VaultCurve', encoder: generated.getInterestCurveEncoder(), targets: ({ vaults }) => vaults },
  4: { kind: 'Rule', encoder: generated.getRuleParamsEncoder(), targets: ({ rules }) => rules },
  8: { kind: 'LoosenDelay', encoder: getU32Encoder(), targets: ({ guards }) => guards },
  11: { kind: 'AssetWarmUp', encoder: getU32Encoder(), targets: ({ assets }) => assets },
  18: { kind: 'VaultScale', encoder: generated.getRiskScaleEncoder(), targets: ({ vaults }) => vaults },
}

/** What a form may be about: a group of values, and whose. */
export interface Subject {
  group: number
  target: string
  name: string
}

/** Lists what may be proposed from a form, with the accounts as they are. */
export function subjectsOf(targets: Targets, nameOf: (address: string) => string): Subject[] {
  return Object.entries(FORMS).flatMap(([key, form]) => {
    const group = Number(key)
    return form.targets(targets).map(({ address: target }) => ({ group, target, name: `${groupName(group)} of ${nameOf(target)}` }))
  })
}

/** How a number is typed: shifted by decimals, with a unit behind it. */
export interface Unit {
  decimals: number
  sign: string
}

/** Returns how a field is typed, by what its name says of its unit. */
export function unitOf(path: readonly string[], context: FieldContext): Unit {
  const name = path.at(-1) ?? ''
  if (/^(clearT|t)hreshold$/.test(name)) return context.unit === 'seconds' ? { decimals: 0, sign: 's' } : { decimals: 2, sign: '%' }
  if (name.endsWith('Bps')) return { decimals: 2, sign: '%' }
  if (name.endsWith('Secs')) return { decimals: 0, sign: 's' }
  if (name.endsWith('MicroUsd')) return { decimals: 6, sign: 'USD' }
  if (!name.endsWith('Amount')) return { decimals: 0, sign: '' }
  const isCollateral = path.some((part) => part.startsWith('collateral') || part === 'inflow')
  const token = isCollateral ? context.collateral : context.loan
  return token === undefined ? { decimals: 0, sign: 'base units' } : { decimals: token.decimals, sign: token.symbol }
}

/** Writes a number as it is typed. */
export const typed = (value: bigint, { decimals }: Unit): string => formatAmount(value, decimals, decimals)

/** Reads what was typed; null for what isn't such a number, or has more decimals than the unit. */
export function readTyped(text: string, { decimals }: Unit): bigint | null {
  const read = /^(\d+)(?:\.(\d+))?$/.exec(text.replace(/[\s,]/g, ''))
  const [whole = '', fraction = ''] = read?.slice(1) ?? []
  if (read === null || fraction.length > decimals) return null
  return BigInt(whole + fraction.padEnd(decimals, '0'))
}

/** What a field may hold, and why. */
export interface Bounds {
  min: bigint
  max: bigint
  why: string
}

const U64_MAX = (1n << 64n) - 1n
const BPS = 10_000n
/** Groups whose fields may move by a share of themselves only, when they are executed. Source: `effect::require_bounded`. */
const NEAR: Record<number, (path: readonly string[]) => boolean> = {
  1: (path) => ['ltvBps', 'liquidationLineBps', 'targetLtvBps', 'fullCloseLtvBps'].includes(path[0] ?? ''),
  2: (path) => !/CapAmount$/.test(path[0] ?? ''),
  18: (path) => /^floor/.test(path[0] ?? ''),
}

function hardBounds(path: readonly string[], { bounds }: Guard): Bounds {
  const name = path.at(-1) ?? ''
  const most = (max: number): Bounds => ({ min: 0n, max: BigInt(max), why: 'a hard bound of the guard' })
  if (name === 'ltvBps') return most(bounds.maxLtvBps)
  if (/BonusBps$/.test(name)) return most(bounds.maxBonusBps)
  if (name === 'hourlyBps' && path[0] !== 'inflow') return most(bounds.maxHourlyOutflowBps)
  if (name === 'dailyBps' && path[0] !== 'inflow') return most(bounds.maxDailyOutflowBps)
  if (name === 'durationSecs') return most(bounds.maxRuleDurationSecs)
  if (name === 'exitFloorBps') return { min: BigInt(bounds.minExitFloorBps), max: BPS, why: 'a hard bound of the guard' }
  if (name === 'delaySecs') return { min: BigInt(bounds.minLoosenDelaySecs), max: (1n << 32n) - 1n, why: 'a hard bound of the guard' }
  if (name.endsWith('Bps') && !/Rate/.test(name)) return { min: 0n, max: BPS, why: 'a share' }
  if (name.endsWith('Secs') || /RateBps$/.test(name)) return { min: 0n, max: (1n << 32n) - 1n, why: 'its size on chain' }
  return { min: 0n, max: U64_MAX, why: 'its size on chain' }
}

/** Returns what a field may be set to: within the hard bounds and, where its effect is tried, near what it is. */
export function boundsOf(group: number, path: readonly string[], now: bigint, guard: Guard): Bounds {
  const hard = hardBounds(path, guard)
  if (NEAR[group]?.(path) !== true) return hard
  const step = (now * BigInt(guard.bounds.maxEffectBps)) / BPS
  const near = { min: now - step, max: now + step }
  const isNearer = near.min > hard.min || near.max < hard.max
  return { min: near.min > hard.min ? near.min : hard.min, max: near.max < hard.max ? near.max : hard.max, why: isNearer ? 'how far one change may move it' : hard.why }
}

/** A field of a form. */
export interface Field {
  path: readonly string[]
  now: bigint
  unit: Unit
  bounds: Bounds
}

const isNumber = (leaf: Leaf): leaf is number | bigint => typeof leaf === 'number' || typeof leaf === 'bigint'

/** Lists the fields of a group with what they hold. */
export function fieldsOf({ group, target }: Subject, targets: Targets, guard: Guard, context: FieldContext): Field[] {
  const current = currentOf(group, targets, target)
  if (current === undefined) return []
  return leavesOf(current, rootOf(group)).flatMap(([path, leaf]) =>
    isNumber(leaf) ? [{ path, now: BigInt(leaf), unit: unitOf(path, context), bounds: boundsOf(group, path, BigInt(leaf), guard) }] : [],
  )
}

/** Returns a decoded value with some of its numbers replaced, each of its own type. */
export function replaced(value: unknown, next: ReadonlyMap<string, bigint>, path: readonly string[] = []): unknown {
  const own = next.get(path.join('.'))
  if (typeof value === 'number') return own === undefined ? value : Number(own)
  if (typeof value === 'bigint') return own ?? value
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item, index) => replaced(item, next, [...path, String(index + 1)]))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, next, [...path, key])]))
}

/** What is to be proposed. */
export interface Proposal {
  subject: Subject
  /** Values by the path of their field. */
  next: ReadonlyMap<string, bigint>
}

/** Returns the fields that a proposal moves. */
export function movesOfProposal({ next }: Proposal, fields: readonly Field[]): Move[] {
  return fields.flatMap(({ path, now }) => {
    const to = next.get(path.join('.'))
    return to === undefined || to === now ? [] : [{ path, from: now, to }]
  })
}

/** SHA-256 of the group's number and the stored bytes: what the change is prepared against. Source: `Change::hash`. */
async function hashOf(group: number, encoder: Encoder<never>, value: unknown): Promise<Uint8Array> {
  const bytes = encoder.encode(value as never)
  return new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from([group, ...bytes])))
}

/** How long a proposal may wait for its signatures: it is refused afterwards. */
const VALID_SECS = 3 * 86_400

/** Builds the instruction that lets a change wait in public. `root` signs and pays the rent, which comes back. */
export async function proposeInstruction(proposal: Proposal, guard: Held<Guard>, targets: Targets, nowTs: number): Promise<Instruction> {
  const { group, target } = proposal.subject
  const form = FORMS[group]
  const current = currentOf(group, targets, target)
  if (form === undefined || current === undefined) throw new Error('This group can’t be proposed from here.')
  const value = replaced(current, proposal.next, rootOf(group))
  const [change] = await getProgramDerivedAddress({
    programAddress: RAMPART_PROGRAM_ADDRESS,
    seeds: [getUtf8Encoder().encode('change'), getAddressEncoder().encode(address(guard.address)), getU64Encoder().encode(guard.value.nextChangeId)],
  })
  return getProposeChangeInstruction({
    root: createNoopSigner(guard.value.roles.root),
    guard: address(guard.address),
    target: address(target),
    change,
    eventAuthority: EVENT_AUTHORITY,
    program: RAMPART_PROGRAM_ADDRESS,
    changeArg: { __kind: form.kind, fields: [value] } as ChangeArgs,
    valueHash: await hashOf(group, form.encoder, current),
    validity: { authorityEpoch: guard.value.authorityEpoch, expiresAtTs: BigInt(nowTs + VALID_SECS) },
  })
}
