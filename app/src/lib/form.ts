import { type Encoder, getBase16Encoder, isAddress } from '@solana/kit'
import type { Guard } from '@/generated'
import { formatAmount } from '@/lib/amount'
import { type Bounds, U64_MAX, roomOf } from '@/lib/bounds'
import { type Leaf, leavesOf } from '@/lib/change'
import { type FieldContext, choicesOf, namedPart, tokenOf } from '@/lib/field'

/** What is typed: a number, or an address or bytes as text. */
export type Typed = bigint | string

/** How a number is typed: shifted by decimals, with a unit behind it. */
export interface Unit {
  decimals: number
  sign: string
}

/** A field of a form. Bytes are typed as hexadecimal digits. */
export interface Field {
  path: readonly string[]
  now: Typed
  kind: 'number' | 'address' | 'bytes'
  unit: Unit
  bounds: Bounds
  /** What of it a change that waits may set: less of a limit where its effect is tried. */
  proposed: Bounds
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

/** Lists the fields of a group's value. What of it is typed already counts where one field bounds another. */
export function fieldsOfValue(value: unknown, { group, root, encoder }: Group, guard: Guard, context: FieldContext, next: ReadonlyMap<string, Typed> = new Map()): Field[] {
  const whole = replaced(value, next, root)
  const fieldOf = ([path, leaf]: [readonly string[], Leaf]): Field[] => {
    if (!isInReach(path, value) || typeof leaf === 'boolean') return []
    const unit = unitOf(path, context)
    const fixed = FIXED[group]?.[path.join('.')] ?? null
    if (typeof leaf === 'string') {
      const kind = isAddress(leaf) ? 'address' : 'bytes'
      const bounds = { min: 0n, max: 0n, why: '' }
      return [{ path, now: leaf, kind, unit, bounds, proposed: bounds, choices: null, fixed }]
    }
    const now = BigInt(leaf)
    const stays = { min: now, max: now, why: fixed ?? '' }
    const { any, proposed } = fixed === null ? roomOf({ group, path, value: whole, size: sizeOf(value, path, leaf, root, encoder) }, now, guard) : { any: stays, proposed: stays }
    return [{ path, now, kind: 'number', unit, bounds: any, proposed, choices: choicesOf(path, context), fixed }]
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

