import * as v from 'valibot'
import { Asset, History } from '@/lib/schema/asset'
import type { Gauge} from '@/lib/schema/parts';
import { Amount, Cause, Count, Decimal, Level, Transactions, maybe } from '@/lib/schema/parts'
import type { Bin} from '@/lib/schema/vault';
import { Vault } from '@/lib/schema/vault'
import type { PriceSource, Sample } from '@/lib/schema/asset'

/** Where a keeper gets its data. */
export const Source = v.object({
  name: v.string(),
  kind: v.string(),
  up: v.boolean(),
  last_slot: maybe(Count),
  silent_ms: maybe(Count),
  reconnects: v.optional(Count, 0),
})

/** From 0 to 1. */
const Share = v.pipe(v.number(), v.minValue(0), v.maxValue(1))

/** What a keeper's risk engine says of an asset or a vault; null for what it doesn't know. */
const Scored = v.object({
  subject: v.string(),
  score_bps: Count,
  band: v.picklist(['normal', 'watch', 'tighten', 'restrict', 'breaker']),
  /** Probabilities of a fall through the buffer within six hours and a day. */
  fall_6h: maybe(Share),
  fall_24h: maybe(Share),
  /** Shares of the price by which 99 of 100, and 999 of 1,000 hours fall less. */
  value_at_risk_99: maybe(Share),
  value_at_risk_999: maybe(Share),
})

/** What a keeper judges by. Learned policies decide in shadow: rules drive. */
export const Judging = v.object({
  model: maybe(v.object({ version: Count, hash: v.string() })),
  library: v.object({
    state: v.picklist(['off', 'refused', 'shadow']),
    reason: maybe(v.string()),
    hash: maybe(v.string()),
    rounds: Count,
    decisions: Count,
    differing: Count,
    policies: v.array(
      v.object({
        name: v.string(),
        version: Count,
        hash: v.string(),
        probability: Share,
        is_reigning: v.boolean(),
        is_chosen: v.boolean(),
      }),
    ),
  }),
  // Keepers before it say nothing of them.
  subjects: v.optional(v.array(Scored), []),
})

/** What a class of action spent within the last hour, lamports. */
export const Budget = v.object({
  class: v.string(),
  own_lamports: Amount,
  spent_lamports: Amount,
  allowance_lamports: maybe(Amount),
  left_lamports: maybe(Amount),
})

/** The keeper that serves the app. */
export const Keeper = v.object({
  name: v.string(),
  version: v.string(),
  mode: v.picklist(['act', 'observe']),
  started_at_ts: Count,
  signer: v.string(),
  slot: Count,
  slot_ms: v.pipe(v.number(), v.finite()),
  ready: v.boolean(),
  not_ready_reasons: v.array(v.string()),
  sources: v.array(Source),
  coverage: v.object({
    positions: Count,
    verified_ratio: Share,
    oldest_secs: maybe(Count),
    mismatches: Count,
  }),
  balance_lamports: Amount,
  transactions: Transactions,
  // Keepers before it say nothing of it.
  score: v.optional(Judging),
  budgets: v.optional(v.array(Budget), []),
  kept_for_trips_lamports: maybe(Amount),
})

/** Another keeper, as this one sees it. */
export const Peer = v.object({
  name: v.string(),
  url: v.string(),
  up: v.boolean(),
  ready: v.boolean(),
  slot: maybe(Count),
  transactions: maybe(Transactions),
})

/** A group of rules: it trips while all of them are true. */
export const RuleGroup = v.object({
  address: v.string(),
  id: Count,
  level: Level,
  level_name: v.string(),
  scope: v.string(),
  rules: v.array(v.string()),
  is_in_force: v.boolean(),
})

/** A threshold rule with its value and verdict. */
export const Rule = v.object({
  address: v.string(),
  id: Count,
  name: v.string(),
  metric: v.string(),
  unit: v.picklist(['bps', 'seconds']),
  subject: v.string(),
  subject_name: v.string(),
  comparator: v.picklist(['above', 'below']),
  threshold: Amount,
  clear_threshold: Amount,
  window_secs: Count,
  value: maybe(Amount),
  verdict: v.picklist(['true', 'between', 'clear', 'indeterminate']),
  reason: maybe(v.string()),
  level: Level,
  level_name: v.string(),
  scope: v.picklist(['subject', 'guard']),
  streak: v.object({ count: Count, since_ts: maybe(Count) }),
  min_persist_secs: Count,
  min_observations: Count,
  trip_epoch: Amount,
  is_in_force: v.boolean(),
  is_enabled: v.boolean(),
  /** Which reference a deviation is measured from. */
  reference_span: maybe(v.picklist(['short', 'four_hours', 'day'])),
  /** What the present price is compared with, USD; null for other metrics, and where it isn't known. */
  compared_price: maybe(Decimal),
  /** A member trips only as part of a group. */
  standing: v.optional(v.picklist(['alone', 'member']), 'alone'),
  groups: v.optional(v.array(RuleGroup), []),
})

/** Where the reserve's basket should be, by the program's own code. */
export const ReserveGoal = v.object({
  address: v.string(),
  scored_asset: v.string(),
  level: Level,
  level_name: v.string(),
  score_bps: maybe(Count),
  state: v.picklist(['followed', 'to_quote', 'held']),
  targets_bps: v.array(Count),
})

/** The keeper's whole state, answer of `/state`. */
export const View = v.object({
  schema: v.literal(1),
  /** Who serves the page; null where it is read from chain without a keeper. */
  keeper: maybe(Keeper),
  peers: v.array(Peer),
  chain: v.object({ slot: Count, unix_ts: Count }),
  guard: v.object({ address: v.string(), level: Level, level_name: v.string(), causes: v.array(Cause) }),
  assets: v.array(Asset),
  vaults: v.array(Vault),
  rules: v.array(Rule),
  reserve: maybe(ReserveGoal),
})

/** Detail of an event by its kind: the transaction, or the account and the value of its fence that moved. */
const Fields = {
  signature: maybe(v.string()),
  rule: maybe(v.string()),
  trip_epoch: maybe(Count),
  position: maybe(v.string()),
  liquidation_seq: maybe(Count),
}

/** A fact of the timeline. */
export const Event = v.object({
  id: Count,
  ts: Count,
  slot: maybe(Count),
  kind: v.string(),
  text: v.string(),
  // Detail of a kind; the transaction that it is about, where there is one.
  fields: v.optional(v.object(Fields), {}),
})

export type View = v.InferOutput<typeof View>
export type Keeper = v.InferOutput<typeof Keeper>
export type Peer = v.InferOutput<typeof Peer>
export type Transactions = v.InferOutput<typeof Transactions>
export type Cause = v.InferOutput<typeof Cause>
export type Gauge = v.InferOutput<typeof Gauge>
export type Asset = v.InferOutput<typeof Asset>
export type PriceSource = v.InferOutput<typeof PriceSource>
export type Vault = v.InferOutput<typeof Vault>
export type Bin = v.InferOutput<typeof Bin>
export type Rule = v.InferOutput<typeof Rule>
export type RuleGroup = v.InferOutput<typeof RuleGroup>
export type ReserveGoal = v.InferOutput<typeof ReserveGoal>
export type Sample = v.InferOutput<typeof Sample>
export type Event = v.InferOutput<typeof Event>
/** Answer of `/history`. */
export { History }
