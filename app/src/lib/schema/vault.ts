import * as v from 'valibot'
import { Agreement, Amount, Cause, Count, Decimal, Gauge, Level, maybe } from '@/lib/schema/parts'

/** One bar of the health histogram. */
export const Bin = v.object({
  ltv_from_bps: Count,
  ltv_to_bps: Count,
  count: Count,
  debt_amount: Amount,
})

/** Limiters of one side of a vault. */
export const Limits = v.object({
  exit: Gauge,
  risk: Gauge,
  /** What only the exit floor may use: its limits are what is held back. */
  floor: maybe(Gauge),
  /** What the vault's lease of the guard's dollar limit pays for; null without such a limit, and where nobody tells. */
  lease_amount: maybe(Amount),
})

/** A vault: an isolated pair of collateral and loan. */
export const Vault = v.object({
  address: v.string(),
  name: v.string(),
  collateral_asset: v.string(),
  loan_asset: v.string(),
  level: Level,
  level_name: v.string(),
  exit_level: Level,
  own_level: Level,
  causes: v.array(Cause),
  cash_amount: Amount,
  debt_amount: Amount,
  lenders_amount: Amount,
  insurance_amount: Amount,
  collateral_amount: Amount,
  utilisation_bps: Count,
  rate_bps: Count,
  supply_cap_amount: Amount,
  borrow_cap_amount: Amount,
  collateral_cap_amount: Amount,
  loan_decimals: Count,
  collateral_decimals: Count,
  price: v.object({
    state: Agreement,
    reason: maybe(v.string()),
    lo: maybe(Decimal),
    hi: maybe(Decimal),
  }),
  /** The price that new risk is judged at; null while it isn't known, and where nobody tells. */
  price_for_new_risk: maybe(Decimal),
  /** What is left of the limit for new risk now; null where nobody tells. */
  ltv_now_bps: maybe(Count),
  /** Growth of debt, accrued until now, U64.64; null where nobody accrues it. */
  borrow_index_q64: maybe(Amount),
  lines: v.object({ ltv_bps: Count, soft_line_bps: Count, liquidation_line_bps: Count }),
  limits: v.object({ loan: Limits, collateral: Limits }),
  exit_floor_bps: Count,
  positions: v.object({
    count: Count,
    borrowers: Count,
    soft: Count,
    liquidatable: Count,
    histogram: v.array(Bin),
  }),
  totals: v.object({
    supplied_amount: Amount,
    withdrawn_amount: Amount,
    borrowed_amount: Amount,
    repaid_amount: Amount,
    liquidated_amount: Amount,
    seized_amount: Amount,
    bad_debt_amount: Amount,
    insured_amount: Amount,
  }),
})
