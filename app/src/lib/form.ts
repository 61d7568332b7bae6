import { type Encoder, getBase16Encoder, isAddress } from '@solana/kit'
import type { Guard } from '@/generated'
import { formatAmount } from '@/lib/amount'
import { type Leaf, leavesOf } from '@/lib/change'
import { type FieldContext, choicesOf, namedPart, tokenOf } from '@/lib/field'

/** What is typed: a number, or an address or bytes as text. */
export type Typed = bigint | string

/** How a number is typed: shifted by decimals, with a unit behind it. */
export interface Unit {
  decimals: number
  sign: string
}

/** What a number may be, and why. */
export interface Bounds {
  min: bigint
  max: bigint
  why: string
}

/** A field of a form. Bytes are typed as hexadecimal digits. */
export interface Field {
  path: readonly string[]
  now: Typed
  kind: 'number' | 'address' | 'bytes'
  unit: Unit
  bounds: Bounds
  /** The numbers that mean something, with their names; null where all do. */
  choices: Readonly<Record<number, string>> | null
  /** Why it can't be changed by a change of its group; null where it can. */
  fixed: string | null
}

/** Returns how a field is typed, by what its name says of its unit. */
export function unitOf(path: readonly string[], context: FieldContext): Unit {
  const name = namedPart(path)
  if (/^(clearT|t)hreshold$/.test(name)) return context.unit === 'seconds' ? { decimals: 0, sign: 's' } : { decimals: 2, sign: '%' }
  if (name.endsWith('Bps')) return { decimals: 2, sign: '%' }
  if (name.endsWith('Secs')) return { decimals: 0, sign: 's' }
  if (name.endsWith('MicroUsd')) return { decimals: 6, sign: 'USD' }
  if (!/Amount$|^amount$/.test(name)) return { decimals: 0, sign: '' }
  const token = tokenOf(path, context)
  return token === undefined ? { decimals: 0, sign: 'base units' } : { decimals: token.decimals, sign: token.symbol }
}

/** Writes a value as it is typed. */
export const typed = (value: Typed, { decimals }: Unit): string => (typeof value === 'string' ? value : formatAmount(value, decimals, decimals))

/** Reads a number that was typed; null for what isn't such a number, or has more decimals than the unit. */
export function readTyped(text: string, { decimals }: Unit): bigint | null {
  const read = /^(\d+)(?:\.(\d+))?$/.exec(text.replace(/[\s,]/g, ''))
  const [whole = '', fraction = ''] = read?.slice(1) ?? []
  if (read === null || fraction.length > decimals) return null
  return BigInt(whole + fraction.padEnd(decimals, '0'))
}

/** Reads what was typed into a field, or says why it won't do. */
export function readField(field: Field, text: string): { value: Typed } | { wrong: string } {
  const { kind, now, unit, bounds } = field
  const trimmed = text.trim()
  if (kind === 'address') return isAddress(trimmed) ? { value: trimmed } : { wrong: 'An address: 32 to 44 characters of base58.' }
  if (kind === 'bytes') {
    const digits = String(now).length
    const isRight = trimmed.length === digits && /^[0-9a-f]*$/i.test(trimmed)
    return isRight ? { value: trimmed.toLowerCase() } : { wrong: `${digits} hexadecimal digits.` }
  }
  const value = readTyped(text, unit)
  if (value === null) return { wrong: unit.decimals === 0 ? 'A whole number.' : `A number with at most ${unit.decimals} decimals.` }
  const isOutside = value < bounds.min || value > bounds.max
  return isOutside ? { wrong: `From ${typed(bounds.min, unit)} to ${typed(bounds.max, unit)} ${unit.sign}: ${bounds.why}.` } : { value }
}

export const U64_MAX = (1n << 64n) - 1n
const BPS = 10_000n
/** Groups whose fields may move by a share of themselves only, when they are executed. Source: `effect::require_bounded`. */
const NEAR: Record<number, (path: readonly string[]) => boolean> = {
  1: (path) => ['ltvBps', 'liquidationLineBps', 'targetLtvBps', 'fullCloseLtvBps'].includes(path[0] ?? ''),
  2: (path) => !/CapAmount$/.test(path[0] ?? ''),
  10: (path) => ['limitMicroUsd', 'vaultShareBps'].includes(path[0] ?? ''),
  18: (path) => /^floor/.test(path[0] ?? ''),
}

function hardBounds(path: readonly string[], size: bigint, { bounds }: Guard): Bounds {
  const name = namedPart(path)
  const most = (max: number): Bounds => ({ min: 0n, max: BigInt(max), why: 'a hard bound of the guard' })
  if (name === 'ltvBps') return most(bounds.maxLtvBps)
  if (/BonusBps$/.test(name)) return most(bounds.maxBonusBps)
  if (name === 'hourlyBps' && path[0] !== 'inflow') return most(bounds.maxHourlyOutflowBps)
  if (name === 'dailyBps' && path[0] !== 'inflow') return most(bounds.maxDailyOutflowBps)
  if (name === 'durationSecs') return most(bounds.maxRuleDurationSecs)
  if (name === 'exitFloorBps') return { min: BigInt(bounds.minExitFloorBps), max: BPS, why: 'a hard bound of the guard' }
  if (name === 'delaySecs') return { min: BigInt(bounds.minLoosenDelaySecs), max: size, why: 'a hard bound of the guard' }
  if (name.endsWith('Bps') && !/Rate/.test(name)) return { min: 0n, max: BPS, why: 'a share' }
  return { min: 0n, max: size, why: 'its size on chain' }
}

/** Returns what a number may be set to: within its size and the hard bounds and, where its effect is tried, near what it is. */
export function boundsOf(group: number, path: readonly string[], now: bigint, guard: Guard, size = U64_MAX): Bounds {
  const hard = hardBounds(path, size, guard)
  if (NEAR[group]?.(path) !== true) return hard
  const step = (now * BigInt(guard.bounds.maxEffectBps)) / BPS
  const near = { min: now - step, max: now + step }
  const isNearer = near.min > hard.min || near.max < hard.max
  return { min: near.min > hard.min ? near.min : hard.min, max: near.max < hard.max ? near.max : hard.max, why: isNearer ? 'how far one change may move it' : hard.why }
}

const atCreation = (...names: string[]): Readonly<Record<string, string>> => Object.fromEntries(names.map((name) => [name, 'fixed at creation']))
/** Fields that no change of their group may move, by group, with the reason. Source: `target::validate`, `ReservePlan::keeps_shape`. */
const FIXED: Record<number, Readonly<Record<string, string>>> = {
  1: atCreation('softLineBps', 'softBonusBps', 'softQuotaBps'),
  4: atCreation('metric', 'comparator', 'scope', 'windowSecs', 'sourcesRequired'),
  6: atCreation('cellSecs'),
  7: { root: 'moves by a change of “Root”, which the new root accepts' },
  10: atCreation('windowSecs'),
  16: atCreation('count', 'quote', 'scored'),
}

/** Lists of which only the first entries count, with the field that says how many. */
const COUNTS: Record<string, string> = { guardians: 'guardianCount', prefixes: 'prefixCount', sources: 'count', weightsBps: 'count', cover: 'count' }

/** Lists that can't get longer, as their number of entries is fixed at creation. */
const FULL: readonly string[] = ['weightsBps', 'cover']

/** Tells whether an entry of a list is in use, or the next that could be. */
function isInReach([list = '', place]: readonly string[], value: unknown): boolean {
  const count = (value as Readonly<Record<string, unknown>>)[COUNTS[list] ?? '']
  return typeof count !== 'number' || Number(place) <= count + (FULL.includes(list) ? 0 : 1)
}

/** Largest number that a field holds on chain: the first of the sizes that its encoder takes. */
function sizeOf(value: unknown, path: readonly string[], leaf: number | bigint, root: readonly string[], encoder: Encoder<never>): bigint {
  if (typeof leaf === 'bigint') return U64_MAX
  const sizes = [32n, 16n, 8n].map((bits) => (1n << bits) - 1n)
  const fits = (size: bigint) => {
    try {
      encoder.encode(replaced(value, new Map([[path.join('.'), size]]), root) as never)
      return true
    } catch {
      return false
    }
  }
  return sizes.find(fits) ?? 0n
}

interface Group {
  group: number
  /** The name of a value without parts. */
  root: readonly string[]
  encoder: Encoder<never>
}

/** Lists the fields of a group's value. */
export function fieldsOfValue(value: unknown, { group, root, encoder }: Group, guard: Guard, context: FieldContext): Field[] {
  const fieldOf = ([path, leaf]: [readonly string[], Leaf]): Field[] => {
    if (!isInReach(path, value) || typeof leaf === 'boolean') return []
    const unit = unitOf(path, context)
    const fixed = FIXED[group]?.[path.join('.')] ?? null
    if (typeof leaf === 'string') {
      const kind = isAddress(leaf) ? 'address' : 'bytes'
      return [{ path, now: leaf, kind, unit, bounds: { min: 0n, max: 0n, why: '' }, choices: null, fixed }]
    }
    const now = BigInt(leaf)
    const bounds = fixed === null ? boundsOf(group, path, now, guard, sizeOf(value, path, leaf, root, encoder)) : { min: now, max: now, why: fixed }
    return [{ path, now, kind: 'number', unit, bounds, choices: choicesOf(path, context), fixed }]
  }
  return leavesOf(value, root).flatMap(fieldOf)
}

/** Returns a decoded value with some of its parts replaced, each of its own type. */
export function replaced(value: unknown, next: ReadonlyMap<string, Typed>, path: readonly string[] = []): unknown {
  const own = next.get(path.join('.'))
  if (typeof value === 'number') return own === undefined ? value : Number(own)
  if (value instanceof Uint8Array) return typeof own === 'string' ? new Uint8Array(getBase16Encoder().encode(own)) : value
  if (typeof value !== 'object' || value === null) return own ?? value
  if (Array.isArray(value)) return value.map((item, index) => replaced(item, next, [...path, String(index + 1)]))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, next, [...path, key])]))
}

