import * as v from 'valibot'
import { Count, Decimal, maybe } from '@/lib/schema/parts'

/** A row of the kept history: when, and the columns of its kind. */
export const Kept = v.object({
  id: Count,
  at_ms: Count,
  slot: Count,
  keeper: v.optional(v.string(), ''),
  reporter: maybe(v.string()),
  subject: maybe(v.string()),
  observed_at_ts: maybe(Count),
  score_bps: maybe(Count),
  volatility_bps: maybe(Count),
  liquidity_bps: maybe(Count),
  correlation_bps: maybe(Count),
  anomaly_bps: maybe(Count),
  system_health_bps: maybe(Count),
  class: maybe(v.string()),
  reason: maybe(v.string()),
  fence: maybe(v.string()),
  outcome: maybe(v.string()),
  outcome_slot: maybe(Count),
  signature: maybe(v.string()),
  error: maybe(v.string()),
  kind: maybe(v.string()),
  text: maybe(v.string()),
  price: maybe(Decimal),
  reference: maybe(Decimal),
  utilisation_bps: maybe(Count),
  value: maybe(Decimal),
})

/** A row of the kept history. */
export type Kept = v.InferOutput<typeof Kept>

/** A page of the kept history, newest first. */
export const HistoryPage = v.object({ items: v.array(Kept), next: maybe(v.string()) })
