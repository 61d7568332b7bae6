import { parse } from '@/lib/parse'
import { View } from '@/lib/schema/view'

/** Chain time of the sample. */
export const NOW = 1_700_000_000

const gauge = (used: string, limit: string) => ({
  hour_used_amount: used,
  hour_limit_amount: limit,
  day_used_amount: used,
  day_limit_amount: '5000000000000',
  // a twentieth of the limit is held back
  hour_usable_amount: ((BigInt(limit) * 19n) / 20n - BigInt(used)).toString() as string | null,
  day_usable_amount: (4_750_000_000_000n - BigInt(used)).toString() as string | null,
})

/** What is held back for the exit floor. */
const floor = (used: string, held: string, usable: string) => ({
  hour_used_amount: used,
  hour_limit_amount: held,
  day_used_amount: used,
  day_limit_amount: '250000000000',
  hour_usable_amount: usable,
  day_usable_amount: '5000000000000',
})

const halt = {
  rule: 'Rule1',
  rule_name: 'SOL drawdown',
  level: 3,
  level_name: 'Halt',
  tripped_at_ts: NOW - 60,
  expires_at_ts: NOW + 1_740,
  dwell_until_ts: NOW + 540,
}

const asset = (address: string, symbol: string, price: string) => ({
  address,
  mint: `${address}Mint`,
  symbol,
  decimals: 9,
  level: 0,
  level_name: 'Normal',
  causes: [] as object[],
  price: {
    state: 'agreed',
    reason: null as string | null,
    lo: price as string | null,
    mid: price as string | null,
    hi: price as string | null,
    agreeing: 2,
    required: 2,
    sources: [
      { kind: 'pyth', publisher: 0, price, confidence_bps: 12, age_secs: 3, state: 'ok', reason: null },
      { kind: 'switchboard', publisher: 0, price, confidence_bps: 20, age_secs: 9, state: 'ok', reason: null },
    ],
  },
  reference: { price, age_secs: 30, is_warm: true },
  window_high: price,
})

const vault = {
  address: 'Vault1',
  name: 'SOL / USDC',
  collateral_asset: 'Sol',
  loan_asset: 'Usdc',
  level: 0,
  level_name: 'Normal',
  exit_level: 0,
  own_level: 0,
  causes: [] as object[],
  cash_amount: '3412889120000',
  debt_amount: '18446744073709551615',
  lenders_amount: '12317002890000',
  insurance_amount: '0',
  collateral_amount: '104882310000000',
  utilisation_bps: 7229,
  rate_bps: 914,
  supply_cap_amount: '20000000000000',
  borrow_cap_amount: '16000000000000',
  collateral_cap_amount: '250000000000000',
  loan_decimals: 6,
  collateral_decimals: 9,
  price: { state: 'agreed', reason: null as string | null, lo: '149.9', hi: '150.1' },
  price_for_new_risk: '149.9' as string | null,
  ltv_now_bps: 6500 as number | null,
  borrow_index_q64: (1n << 64n).toString() as string | null,
  lines: { ltv_bps: 6500, soft_line_bps: 7500, liquidation_line_bps: 8200 },
  limits: {
    loan: { exit: gauge('450000000000', '500000000000'), risk: gauge('0', '300000000000'), floor: floor('0', '25000000000', '50000000000'), lease_amount: null as string | null },
    collateral: { exit: gauge('0', '4000000000000'), risk: gauge('0', '3000000000000'), floor: floor('0', '200000000000', '4000000000000'), lease_amount: null as string | null },
  },
  exit_floor_bps: 100,
  positions: {
    count: 12,
    borrowers: 9,
    soft: 2,
    liquidatable: 1,
    histogram: [
      { ltv_from_bps: 0, ltv_to_bps: 5000, count: 6, debt_amount: '1000000' },
      { ltv_from_bps: 5000, ltv_to_bps: 8000, count: 2, debt_amount: '2000000' },
      { ltv_from_bps: 8000, ltv_to_bps: 10000, count: 1, debt_amount: '3000000' },
    ],
  },
  totals: {
    supplied_amount: '1',
    withdrawn_amount: '0',
    borrowed_amount: '0',
    repaid_amount: '0',
    liquidated_amount: '0',
    seized_amount: '0',
    bad_debt_amount: '0',
    insured_amount: '0',
  },
}

const rule = {
  address: 'Rule1',
  id: 1,
  name: 'SOL drawdown',
  metric: 'drawdown',
  unit: 'bps',
  subject: 'Sol',
  subject_name: 'SOL',
  comparator: 'above',
  threshold: 1500,
  clear_threshold: 800,
  window_secs: 600,
  value: '300' as string | null,
  verdict: 'clear',
  reason: null as string | null,
  level: 3,
  level_name: 'Halt',
  scope: 'subject',
  streak: { count: 0, since_ts: null as number | null },
  min_persist_secs: 10,
  min_observations: 3,
  trip_epoch: 4,
  is_in_force: false,
  is_enabled: true,
  reference_span: null as string | null,
  compared_price: '150.25' as string | null,
  standing: 'alone',
  groups: [] as object[],
}

const transactions = { signed: 9, sent: 5, landed: 4, failed: 0, expired: 0, unknown: 0, lost_race: 1 }

const keeper = {
  name: 'keeper-a',
  version: '0.1.0',
  mode: 'act',
  started_at_ts: NOW - 7_200,
  signer: 'Signer1',
  slot: 4_000,
  slot_ms: 250,
  ready: true,
  not_ready_reasons: [] as string[],
  sources: [{ name: 'primary', kind: 'websocket', up: true, last_slot: 4_000, silent_ms: 120, reconnects: 0 }],
  coverage: { positions: 12, verified_ratio: 1, oldest_secs: 8, mismatches: 0 },
  balance_lamports: '4812340118',
  transactions,
  budgets: [
    { class: 'trip', own_lamports: '5000', spent_lamports: '5000', allowance_lamports: null, left_lamports: null },
    { class: 'liquidate', own_lamports: '40000', spent_lamports: '1000000', allowance_lamports: '50000000', left_lamports: '49000000' },
  ],
  kept_for_trips_lamports: '10000000',
}

/** Returns a whole state as the keeper sends it: calm, one vault, one rule, one peer. */
export function rawView() {
  return structuredClone({
    schema: 1,
    keeper,
    peers: [{ name: 'keeper-b', url: 'http://127.0.0.1:9465', up: false, ready: false, slot: 0, transactions }],
    chain: { slot: 4_000, unix_ts: NOW },
    guard: { address: 'Guard1', level: 0, level_name: 'Normal', causes: [] as object[] },
    assets: [asset('Sol', 'SOL', '150.25'), asset('Usdc', 'USDC', '0.9999')],
    vaults: [vault],
    rules: [rule],
    reserve: null as object | null,
  })
}

type Raw = ReturnType<typeof rawView>

/** Returns the parsed state after some changes to the raw one. */
export function sampleView(change: (raw: Raw) => void = () => undefined): View {
  const raw = rawView()
  change(raw)
  return parse(View, raw)
}

/** Puts SOL, and with it the vault, into a halt; the vault lists the inherited cause, as the keeper does. */
export function intoHalt(raw: Raw): void {
  for (const scope of [raw.assets[0], raw.vaults[0]]) {
    if (scope !== undefined) Object.assign(scope, { level: 3, exit_level: 3, level_name: 'Halt', causes: [halt] })
  }
}

/** Takes the agreed price of SOL, and with it the vault's, away. */
export function intoIndeterminate(raw: Raw): void {
  const none = { state: 'indeterminate', reason: 'price', lo: null, hi: null }
  Object.assign(raw.assets[0]?.price ?? {}, { ...none, mid: null, agreeing: 0 })
  Object.assign(raw.vaults[0]?.price ?? {}, none)
}

/** Detail of an event that names nothing. */
export const NO_FIELDS = { signature: null, rule: null, trip_epoch: null, position: null, liquidation_seq: null }
