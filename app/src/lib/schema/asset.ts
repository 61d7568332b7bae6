import * as v from 'valibot'
import { Agreement, Cause, Count, Decimal, Level, maybe } from '@/lib/schema/parts'

/** What one oracle says. */
export const PriceSource = v.object({
  kind: v.string(),
  publisher: v.optional(v.union([v.string(), v.pipe(v.number(), v.transform(String))]), ''),
  price: maybe(Decimal),
  confidence_bps: maybe(Count),
  age_secs: maybe(Count),
  state: v.picklist(['ok', 'stale', 'wide', 'invalid']),
  reason: maybe(v.string()),
})

/** A price as the sources agree on it, or why they don't. */
export const AssetPrice = v.object({
  state: Agreement,
  reason: maybe(v.string()),
  lo: maybe(Decimal),
  mid: maybe(Decimal),
  hi: maybe(Decimal),
  agreeing: Count,
  required: Count,
  sources: v.array(PriceSource),
})

/** An asset: its level, price, reference and sources. */
export const Asset = v.object({
  address: v.string(),
  mint: v.string(),
  symbol: v.string(),
  decimals: Count,
  level: Level,
  level_name: v.string(),
  causes: v.array(Cause),
  price: AssetPrice,
  reference: v.object({ price: maybe(Decimal), age_secs: maybe(Count), is_warm: v.boolean() }),
  window_high: maybe(Decimal),
})

/** One point of an asset's price history. */
export const Sample = v.object({
  ts: Count,
  price: maybe(Decimal),
  reference: maybe(Decimal),
  lo: maybe(Decimal),
  hi: maybe(Decimal),
})

/** Answer of `/history`. */
export const History = v.object({ samples: v.array(Sample) })
