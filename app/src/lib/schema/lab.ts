import * as v from 'valibot'

const number = v.pipe(v.number(), v.finite())

/** What `rampart lab backtest --out FILE` writes. Measures are floats already: they are shown, never decided on. */
export const Backtest = v.object({
  title: v.string(),
  reference: v.string(),
  seed: number,
  outcomes: v.array(
    v.object({
      name: v.string(),
      metrics: v.object({
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
      }),
      gain: v.object({ mean: number, low: number, high: number }),
    }),
  ),
  tried: v.array(v.unknown()),
})

/** A comparison of policies, with what it was made on. */
export type Backtest = v.InferOutput<typeof Backtest>
