import * as v from 'valibot'

const number = v.pipe(v.number(), v.finite())
const strings = v.array(v.string())

/** What a play of a pool came to. Measures are floats already: they are shown, never decided on. */
const Metrics = v.object({
  average_debt: v.optional(number, 0),
  bad_debt_bps_year: number,
  forced_cost_bps_year: number,
  soft_cost_bps_year: number,
  es95_week_bps: number,
  halts: number,
  false_halts: number,
  halted_bps: number,
  events: number,
  warned_share: number,
  lead_secs: number,
  fall_ahead: number,
  capital_efficiency: number,
})

/** What `rampart lab backtest --out FILE` writes. */
export const Backtest = v.object({
  title: v.string(),
  reference: v.string(),
  seed: number,
  outcomes: v.array(v.object({ name: v.string(), metrics: Metrics, gain: v.object({ mean: number, low: number, high: number }) })),
  tried: v.array(v.unknown()),
})

/** What `rampart lab validate --out FILE` writes. */
export const Verdict = v.object({
  name: v.string(),
  config_sha256: v.string(),
  seed: number,
  draws: number,
  skipped: strings,
  unplayed: strings,
  cases: v.array(
    v.object({
      name: v.string(),
      is_true_negative: v.boolean(),
      paths: number,
      bad_debt_bps: number,
      unguarded_bps: number,
      cost_bps: number,
      halted_bps: number,
      trips: number,
      failed: strings,
    }),
  ),
  mean_bad_debt_bps: number,
  failed: strings,
  is_passed: v.boolean(),
})

const Interval = v.object({ value: number, low: number, high: number })

/** What `rampart lab hedge --json` prints. */
export const Hedge = v.object({
  leak_checks: number,
  seed: number,
  assumptions: v.object({ trade_bps: number, sell_bps: number, funding_bps_year: number }),
  pairs: v.array(
    v.object({
      name: v.string(),
      unhedged: v.object({ day: number }),
      outcomes: v.array(
        v.object({
          method: v.string(),
          held: number,
          variance_cut: Interval,
          day_cut: Interval,
          over_selling: v.nullable(Interval),
          worst: v.object({ day: number }),
          trades_year: number,
          cost_bps_year: number,
          carry_bps_year: number,
        }),
      ),
    }),
  ),
})

/** What `rampart lab evaluate` leaves as `results.json`. */
export const Evaluation = v.object({
  data_sha256: v.string(),
  test: v.tuple([v.string(), v.string()]),
  metrics: v.array(
    v.object({
      model: v.string(),
      task: v.string(),
      rows: number,
      base_rate: number,
      auc: Interval,
      average_precision: Interval,
      brier_skill: Interval,
      calibration_error: Interval,
    }),
  ),
  leaks: v.unknown(),
})

/** What `rampart lab report --out FILE` writes: results of any command, and what was aimed at, as tables. */
export const Report = v.object({
  title: v.string(),
  sections: v.array(
    v.object({
      title: v.string(),
      kind: v.string(),
      notes: strings,
      tables: v.array(v.object({ caption: v.string(), head: strings, rows: v.array(strings) })),
    }),
  ),
})

const Side = v.object({ bad_debt: number, liquidated: number, deleveraged: number, withdrawn: number, cost: number, halted_bps: number, trips: number })

/** What `rampart lab attack run --json` prints. */
export const Story = v.object({
  name: v.string(),
  seed: number,
  guard: v.string(),
  guarded: Side,
  unguarded: Side,
  /** Minute, price, lost with the guard, lost without. */
  path: v.array(v.tuple([number, number, number, number])),
  moments: v.array(v.object({ minute: number, truth: number, risk: v.string(), exit: v.string(), lost: number, lost_unguarded: number, what: strings })),
})

/** A line of what `rampart lab sweep --out FILE` and `merge` write. */
export const Cell = v.object({
  plan: v.string(),
  number,
  cell: v.object({ volumes: number, market_share: number, impact: number, latency_secs: number, ltv_bps: number, soft_quota_bps: number, drawdown_bps: number, window_secs: number, seed: number }),
  metrics: Metrics,
})

/** An answer of a command's `--json`, with the result inside. */
export const Envelope = v.object({ schema: number, data: v.record(v.string(), v.unknown()) })

/** Results that are served beside the app: file names in the same folder. */
export const Index = v.object({ results: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[\w][\w.-]*\.jsonl?$/, 'must be the name of a .json or .jsonl file'))), v.maxLength(50)) })

/** A comparison of policies, with what it was made on. */
export type Backtest = v.InferOutput<typeof Backtest>
export type Verdict = v.InferOutput<typeof Verdict>
export type Hedge = v.InferOutput<typeof Hedge>
export type Evaluation = v.InferOutput<typeof Evaluation>
export type Report = v.InferOutput<typeof Report>
export type Story = v.InferOutput<typeof Story>
export type Cell = v.InferOutput<typeof Cell>
