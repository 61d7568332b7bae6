import * as v from 'valibot'

const digits = v.pipe(v.string(), v.regex(/^\d+$/, 'must be a whole number in decimal digits'))
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/** An amount: decimal digits, or a whole number that JSON holds exactly; kept as `bigint`. */
export const Amount = v.pipe(
  v.union([digits, whole]),
  v.transform((value) => BigInt(value)),
)

/** A count, slot, timestamp, span or share in bps; a `number`. */
export const Count = v.pipe(
  v.union([digits, whole]),
  v.transform((value) => Number(value)),
  v.safeInteger(),
)

/** A price: decimal digits with an optional fraction, kept as text. */
export const Decimal = v.pipe(v.string(), v.regex(/^-?\d+(\.\d+)?$/, 'must be a decimal number'))

/** A level. */
export const Level = v.picklist([0, 1, 2, 3, 4])

/** A value that may be missing: absent and null are the same, null. */
export function maybe<const S extends v.GenericSchema>(schema: S) {
  return v.optional(v.nullable(schema), null)
}

/** Why a level is raised. */
export const Cause = v.object({
  rule: v.string(),
  rule_name: v.string(),
  is_new_risk_only: v.optional(v.boolean(), false),
  level: Level,
  level_name: v.string(),
  tripped_at_ts: Count,
  expires_at_ts: Count,
  dwell_until_ts: Count,
})

/** Use of a limiter in its two windows. */
export const Gauge = v.object({
  hour_used_amount: Amount,
  hour_limit_amount: Amount,
  day_used_amount: Amount,
  day_limit_amount: Amount,
  // Keepers before it don't tell what is left after all that is held back; the app then takes it from the account.
  hour_usable_amount: maybe(Amount),
  day_usable_amount: maybe(Amount),
})

/** What became of a keeper's transactions. */
export const Transactions = v.object({
  signed: v.optional(Count, 0),
  sent: v.optional(Count, 0),
  landed: v.optional(Count, 0),
  failed: v.optional(Count, 0),
  expired: v.optional(Count, 0),
  unknown: v.optional(Count, 0),
  lost_race: v.optional(Count, 0),
})

/** Whether a price is agreed. Anything else than "agreed" counts as indeterminate: unknown is never fine. */
export const Agreement = v.pipe(
  v.string(),
  v.transform((state): PriceState => (state === 'agreed' ? 'agreed' : 'indeterminate')),
)

/**
 * What is known of a price: sources agree on it now; or the program wrote it down a while ago, and nobody judges the sources
 * now, as on a page without a keeper; or neither.
 */
export type PriceState = 'agreed' | 'recorded' | 'indeterminate'
