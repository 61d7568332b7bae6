import type { OracleSource } from '@/generated'
import type { PriceSource } from '@/lib/schema/view'

const PYTH = 1
const SWITCHBOARD = 2
/** How a source is pinned: to its account. One that is pinned to a feed has no account that is known beforehand. */
const BY_ACCOUNT = 1

/** What an oracle's account says, nothing judged: `price` and `confidence` times ten to the `exponent`. */
export interface RawReading {
  price: bigint
  confidence: bigint
  exponent: number
  publishTs: number
}

/** Owner and bytes of an account; null where there is none. */
export type Stored = { owner: string; data: Uint8Array } | null

const view = (data: Uint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength)
const starts = (data: Uint8Array, bytes: readonly number[]): boolean => bytes.every((byte, at) => data[at] === byte)

const PYTH_START = [34, 241, 35, 99, 157, 126, 244, 205]
const PYTH_MESSAGE = 41
const PYTH_FULL = 1

/** Reads Pyth's `PriceUpdateV2` of a feed; null for anything else or less than a full verification. Source: `oracle/pyth.rs`. */
export function readPyth(data: Uint8Array, feedId: ArrayLike<number>): RawReading | null {
  if (data.length < 134 || !starts(data, PYTH_START) || data[PYTH_MESSAGE - 1] !== PYTH_FULL) return null
  if (!Array.from(feedId).every((byte, at) => data[PYTH_MESSAGE + at] === byte)) return null
  const at = view(data)
  return {
    price: at.getBigInt64(PYTH_MESSAGE + 32, true),
    confidence: at.getBigUint64(PYTH_MESSAGE + 40, true),
    exponent: at.getInt32(PYTH_MESSAGE + 48, true),
    publishTs: Number(at.getBigInt64(PYTH_MESSAGE + 52, true)),
  }
}

const FEED_START = [0xc4, 0x1b, 0x6c, 0xc4, 0x0a, 0xd7, 0xdb, 0x28]
const FEED = { size: 3_208, value: 2_264, stdDev: 2_280, samples: 2_360, least: 2_215, submission: 2_361, slot: 2_368, times: 2_952 }

/** Reads Switchboard's pull feed; null for anything else or too few samples. Source: `oracle/switchboard.rs`. */
export function readSwitchboard(data: Uint8Array): RawReading | null {
  if (data.length < FEED.size || !starts(data, FEED_START)) return null
  const at = view(data)
  const i128 = (offset: number) => (at.getBigInt64(offset + 8, true) << 64n) | at.getBigUint64(offset, true)
  const [samples, submission] = [at.getUint8(FEED.samples), at.getUint8(FEED.submission)]
  const hasResult = at.getBigUint64(FEED.slot, true) > 0n && samples >= Math.max(1, at.getUint8(FEED.least))
  if (!hasResult || submission >= 32 || i128(FEED.stdDev) < 0n) return null
  return { price: i128(FEED.value), confidence: i128(FEED.stdDev), exponent: -18, publishTs: Number(at.getBigInt64(FEED.times + 8 * submission, true)) }
}

/** Formats `mantissa · 10^exponent` as a decimal with at most nine digits after the point, rounded down. */
export function decimalOf(mantissa: bigint, exponent: number): string {
  const PLACES = 9
  const scaled = exponent >= -PLACES ? mantissa * 10n ** BigInt(PLACES + exponent) : mantissa / 10n ** BigInt(-exponent - PLACES)
  const one = 10n ** BigInt(PLACES)
  return `${scaled / one}.${(scaled % one).toString().padStart(PLACES, '0')}`
}

const KINDS: Record<number, string> = { [PYTH]: 'pyth', [SWITCHBOARD]: 'switchboard' }

/** Returns what a source says by its own account. Whether sources agree is for the program's code to say, not for this page. */
export function sourceOf(source: OracleSource, stored: Stored, nowTs: number): PriceSource {
  const base = { kind: KINDS[source.kind] ?? 'unknown', publisher: String(source.publisher), price: null, confidence_bps: null, age_secs: null }
  if (source.pin !== BY_ACCOUNT) return { ...base, state: 'invalid', reason: 'pinned_to_feed' }
  if (stored === null || stored.owner !== (source.program as string)) return { ...base, state: 'invalid', reason: 'account' }
  const read = source.kind === PYTH ? readPyth(stored.data, source.feedId) : source.kind === SWITCHBOARD ? readSwitchboard(stored.data) : null
  if (read === null || read.price <= 0n) return { ...base, state: 'invalid', reason: 'account' }
  const ageSecs = Math.max(0, nowTs - read.publishTs)
  const confidenceBps = Number((read.confidence * 10_000n + read.price - 1n) / read.price)
  const isOld = nowTs - read.publishTs > source.maxAgeSecs
  const isWide = confidenceBps > source.maxConfidenceBps
  return { ...base, price: decimalOf(read.price, read.exponent), confidence_bps: confidenceBps, age_secs: ageSecs, state: isOld ? 'stale' : isWide ? 'wide' : 'ok', reason: null }
}
