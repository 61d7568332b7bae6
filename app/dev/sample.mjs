// Invented data for development only: nothing here is measured, and nothing here is part of the build.

const SOL = 'DevSo1Asset1111111111111111111111111111111111'
const USDC = 'DevUsdcAsset111111111111111111111111111111111'
const JITO = 'DevJitoAsset111111111111111111111111111111111'
const GUARD = 'DevGuard1111111111111111111111111111111111111'
const RULES = { drawdown: 'DevRu1eDrawdown111111111111111111111111111111', outflow: 'DevRu1eOutf1ow1111111111111111111111111111111' }
const NAMES = ['Normal', 'Caution', 'ReduceOnly', 'Halt', 'Resolution']
const usdc = (tokens) => String(Math.round(tokens * 1e6))
const sol = (tokens) => String(Math.round(tokens * 1e9))

const cause = (rule, name, level, now, ago, secs, dwell) => ({
  rule,
  rule_name: name,
  level,
  level_name: NAMES[level],
  tripped_at_ts: now - ago,
  expires_at_ts: now - ago + secs,
  dwell_until_ts: now - ago + dwell,
})

const source = (kind, publisher, price, bps, age, state = 'ok', reason = null) => ({
  kind, publisher, price: price === null ? null : price.toFixed(6), confidence_bps: bps, age_secs: age, state, reason,
})

/** An invented price path: calm, then a crash that starts a while ago. */
export function priceAt(ts, crashTs, base) {
  const calm = base * (1 + 0.004 * Math.sin(ts / 97) + 0.0022 * Math.sin(ts / 23) + 0.0003 * Math.sin(ts * 1.7))
  const since = ts - crashTs
  return since <= 0 ? calm : calm * (1 - 0.24 * (1 - Math.exp(-since / 50)) + 0.05 * (1 - Math.exp(-since / 400)))
}

function asset(address, symbol, decimals, price, reference, high, { level = 0, causes = [], unknown = false } = {}) {
  const half = price * (symbol === 'USDC' ? 0.0002 : 0.0013)
  const sources = unknown
    ? [source('pyth', 0, price * 1.004, 18, 3), source('switchboard', 0, price * 0.93, 24, 148, 'stale')]
    : [source('pyth', 0, price * 1.0003, 9, 1), source('switchboard', 0, price * 0.9996, 14, 4)]
  const agreed = { state: 'agreed', reason: null, lo: (price - half).toFixed(9), mid: price.toFixed(9), hi: (price + half).toFixed(9), agreeing: 2 }
  const none = { state: 'indeterminate', reason: 'price', lo: null, mid: null, hi: null, agreeing: 0 }
  return {
    address, mint: address.replace('Asset', 'Mint'), symbol, decimals, level, level_name: NAMES[level], causes,
    price: { ...(unknown ? none : agreed), required: 2, sources },
    reference: { price: reference.toFixed(9), age_secs: 21, is_warm: true },
    window_high: high.toFixed(9),
  }
}

function histogram(shift, count) {
  return Array.from({ length: 20 }, (_, index) => {
    const middle = index * 500 + 250
    const share = Math.exp(-(((middle - 4600 - shift) / 1500) ** 2)) + 0.25 * Math.exp(-(((middle - 7000 - shift) / 700) ** 2))
    const positions = Math.round((share * count) / 9)
    return { ltv_from_bps: index * 500, ltv_to_bps: (index + 1) * 500, count: positions, debt_amount: usdc(positions * 812.4) }
  })
}

/** A tenth of each limit is held back for the exit floor. */
const gauge = (unit, hour, hourLimit, day, dayLimit) => ({
  hour_used_amount: unit(hour), hour_limit_amount: unit(hourLimit), day_used_amount: unit(day), day_limit_amount: unit(dayLimit),
  hour_usable_amount: unit(Math.max(0, hourLimit * 0.9 - hour)), day_usable_amount: unit(Math.max(0, dayLimit * 0.9 - day)),
})
const floor = (unit, hour, hourLimit, day, dayLimit) => ({
  hour_used_amount: unit(Math.max(0, hour - hourLimit * 0.9)), hour_limit_amount: unit(hourLimit * 0.1), day_used_amount: unit(Math.max(0, day - dayLimit * 0.9)), day_limit_amount: unit(dayLimit * 0.1),
  hour_usable_amount: unit(Math.max(0, hourLimit - hour)), day_usable_amount: unit(Math.max(0, dayLimit - day)),
})

function vault(name, collateral, level, own, causes, { shift, unknown, ratio, use, scale }) {
  const bins = histogram(shift, 420 * scale)
  const above = (bps) => bins.filter((bin) => bin.ltv_from_bps >= bps).reduce((sum, bin) => sum + bin.count, 0)
  return {
    address: `Dev${name.replace(/\W/g, '')}Vau1t11111111111111111111111111111`, name, collateral_asset: collateral, loan_asset: USDC,
    level, level_name: NAMES[level], exit_level: level, own_level: own, causes,
    cash_amount: usdc(3_412_889.12 * scale), debt_amount: usdc(8_904_113.77 * scale), lenders_amount: usdc(12_317_002.89 * scale),
    insurance_amount: usdc(241_870.5 * scale), collateral_amount: sol(104_882.31 * scale), utilisation_bps: 7229, rate_bps: 914,
    supply_cap_amount: usdc(2e7), borrow_cap_amount: usdc(1.6e7), collateral_cap_amount: sol(2.5e5), loan_decimals: 6, collateral_decimals: 9,
    price: unknown ? { state: 'indeterminate', reason: 'price', lo: null, hi: null } : { state: 'agreed', reason: null, lo: (ratio * 0.9985).toFixed(12), hi: (ratio * 1.0015).toFixed(12) },
    price_for_new_risk: unknown ? null : (ratio * 0.9985).toFixed(9), ltv_now_bps: level > 0 ? 6100 : 6500, borrow_index_q64: String(2n ** 64n + 2n ** 58n),
    lines: { ltv_bps: 6500, soft_line_bps: 7500, liquidation_line_bps: 8200 },
    limits: {
      loan: { exit: gauge(usdc, 310_000 * use, 500_000, 620_000 * use, 1_600_000), risk: gauge(usdc, 88_000 * use, 300_000, 240_000 * use, 1_000_000), floor: floor(usdc, 310_000 * use, 500_000, 620_000 * use, 1_600_000), lease_amount: null },
      collateral: { exit: gauge(sol, 480 * use, 4_000, 1_900 * use, 12_000), risk: gauge(sol, 1_150 * use, 3_000, 2_400 * use, 9_000), floor: floor(sol, 480 * use, 4_000, 1_900 * use, 12_000), lease_amount: null },
    },
    exit_floor_bps: 100,
    positions: { count: Math.round(611 * scale), borrowers: bins.reduce((sum, bin) => sum + bin.count, 0), soft: above(7500) - above(8000), liquidatable: above(8000), histogram: bins },
    totals: {
      supplied_amount: usdc(2.1e7), withdrawn_amount: usdc(8.7e6), borrowed_amount: usdc(1.9e7), repaid_amount: usdc(1.01e7),
      liquidated_amount: usdc(214_551.3 * shift / 1000), seized_amount: sol(1_702.4), bad_debt_amount: usdc(0), insured_amount: usdc(0),
    },
  }
}

const rule = (id, address, name, metric, unit, subject, fields) => ({
  address, id, name, metric, unit, subject, subject_name: subject === SOL ? 'SOL' : subject === JITO ? 'JitoSOL' : 'SOL / USDC', comparator: 'above', window_secs: 0,
  reason: null, scope: 'subject', streak: { count: 0, since_ts: null }, min_persist_secs: 10, min_observations: 3, trip_epoch: '4',
  is_in_force: false, is_enabled: true, reference_span: null, compared_price: null, standing: 'alone', groups: [], level_name: NAMES[fields.level], ...fields,
})

/** The invented state of one scenario: calm, building, halt, indeterminate, resolution or empty. */
export function viewOf(scenario, now, startedTs) {
  const isCrash = scenario === 'halt'
  const isBuilding = scenario === 'building'
  const unknown = scenario === 'indeterminate'
  const crash = isCrash ? startedTs - 250 : isBuilding ? startedTs - 30 : now + 1e6
  const price = priceAt(now, crash, 168.4)
  const causes = isCrash ? [cause(RULES.drawdown, 'SOL drawdown', 3, startedTs, 212, 1800, 600)] : []
  const flow = isCrash || isBuilding ? [cause(RULES.outflow, 'JitoSOL outflow', 1, startedTs, 130, 900, 120)] : []
  const level = scenario === 'resolution' ? 4 : isCrash ? 3 : 0
  const slot = 389_120_400 + Math.floor((now - startedTs) * 4)
  const drop = Math.max(0, Math.round((1 - price / 169.3) * 10_000))
  const base = {
    schema: 1,
    keeper: {
      name: 'dev-sample', version: '0.1.0', mode: 'act', started_at_ts: startedTs - 8_040, signer: 'DevSigner111111111111111111111111111111111111',
      slot, slot_ms: 251.4, ready: !unknown, not_ready_reasons: unknown ? ['one_source_is_down'] : [],
      sources: [
        { name: 'primary', kind: 'websocket', up: true, last_slot: slot, silent_ms: 180, reconnects: 0 },
        { name: 'backup', kind: 'websocket', up: !unknown, last_slot: slot - 1, silent_ms: unknown ? 14_200 : 420, reconnects: 2 },
        { name: 'poller', kind: 'poll', up: true, last_slot: slot - 3, silent_ms: 910, reconnects: 0 },
      ],
      coverage: { positions: 1_222, verified_ratio: 1, oldest_secs: 19, mismatches: 0 },
      balance_lamports: '4812340118',
      transactions: { signed: 214, sent: 61, landed: 58, failed: 0, expired: 1, unknown: 0, lost_race: 2 },
      budgets: [['trip', 5_000, 5_000, null], ['liquidate', 310_000, 980_000, 50_000_000], ['observe', 620_000, 980_000, 50_000_000], ['post', 0, 0, 20_000_000]].map(([name, own, spent, allowance]) => ({
        class: name, own_lamports: String(own), spent_lamports: String(spent), allowance_lamports: allowance === null ? null : String(allowance), left_lamports: allowance === null ? null : String(allowance - spent),
      })),
      kept_for_trips_lamports: '50000000',
      score: {
        model: { version: 1, hash: 'b0d2f4681a3c5e70' },
        library: {
          state: 'shadow', reason: null, hash: '5ad3f0', rounds: 12, decisions: 4_031, differing: 260,
          policies: [{ name: 'pool-lspi', version: 2, hash: 'a57d79f2a2da6fdd', probability: 1, is_reigning: true, is_chosen: true }],
        },
        subjects: unknown ? [] : [[SOL, 1_520, 'tighten', 0.013, 0.041], [JITO, 990, 'watch', 0.009, 0.031], [USDC, 310, 'normal', 0.000_01, 0.000_2]].map(([subject, score_bps, band, fall_6h, fall_24h]) => ({
          subject, score_bps: isCrash ? 6_900 : score_bps, band: isCrash ? 'breaker' : band, fall_6h, fall_24h, value_at_risk_99: subject === USDC ? null : 0.022, value_at_risk_999: subject === USDC ? null : 0.058,
        })),
      },
    },
    peers: [
      { name: 'dev-peer-b', url: 'http://127.0.0.1:9465', up: true, ready: true, slot: slot - 1, transactions: { signed: 209, sent: 12, landed: 9, failed: 0, expired: 0, unknown: 0, lost_race: 3 } },
      { name: 'dev-peer-c', url: 'http://127.0.0.1:9466', up: !isCrash, ready: false, slot: isCrash ? null : slot - 2, transactions: {} },
    ],
    chain: { slot, unix_ts: now },
    guard: { address: GUARD, level: scenario === 'resolution' ? 4 : 0, level_name: NAMES[level], causes: [] },
    assets: [], vaults: [], rules: [], reserve: null,
  }
  if (scenario === 'empty') return base
  const high = Math.max(169.3, price)
  const streak = { count: 2, since_ts: startedTs - 1 }
  return {
    ...base,
    assets: [
      asset(SOL, 'SOL', 9, price, isCrash ? 164.1 : 168.2, high, { level: isCrash ? 3 : 0, causes, unknown }),
      asset(JITO, 'JitoSOL', 9, price * 1.214, isCrash ? 199.6 : 204.3, high * 1.214, { level: 0 }),
      asset(USDC, 'USDC', 6, 0.99985 + 0.0001 * Math.sin(now / 40), 0.9999, 1.0002),
    ],
    reserve: { address: 'DevReserve1111111111111111111111111111111111', scored_asset: SOL, level: isCrash ? 3 : 0, level_name: NAMES[isCrash ? 3 : 0], score_bps: 6_340, state: 'followed', targets_bps: isCrash ? [0, 10_000] : [3_732, 6_268] },
    vaults: [
      vault('SOL / USDC', SOL, level, 0, [], { shift: isCrash ? 1750 : 0, unknown, ratio: price, use: isCrash ? 1.52 : 0.7, scale: 1 }),
      vault('JitoSOL / USDC', JITO, Math.max(flow.length, scenario === 'resolution' ? 4 : 0), flow.length, flow, { shift: isCrash ? 900 : 0, unknown: false, ratio: price * 1.214, use: flow.length ? 1.2 : 0.3, scale: 0.4 }),
    ],
    rules: [
      rule(1, RULES.drawdown, 'SOL drawdown', 'drawdown', 'bps', SOL, { threshold: '1500', clear_threshold: '800', window_secs: 600, compared_price: high.toFixed(9), value: unknown ? null : String(isBuilding ? 1612 : drop), verdict: unknown ? 'indeterminate' : isCrash || isBuilding ? 'true' : 'clear', reason: unknown ? 'price' : null, level: 3, is_in_force: isCrash, streak: isBuilding ? streak : { count: 0, since_ts: null } }),
      rule(2, `${RULES.drawdown}2`, 'SOL off its reference', 'deviation_from_reference', 'bps', SOL, { threshold: '2500', clear_threshold: '1000', reference_span: 'short', compared_price: (isCrash ? 164.1 : 168.2).toFixed(9), value: unknown ? null : String(isCrash ? 1905 : 41), verdict: unknown ? 'indeterminate' : isCrash ? 'between' : 'clear', reason: unknown ? 'price' : null, level: 2 }),
      rule(3, `${RULES.drawdown}3`, 'SOL price age', 'oracle_age', 'seconds', SOL, { threshold: '90', clear_threshold: '60', value: unknown ? '148' : '4', verdict: unknown ? 'true' : 'clear', level: 1, streak: unknown ? streak : { count: 0, since_ts: null } }),
      rule(4, RULES.outflow, 'JitoSOL outflow', 'outflow_rate', 'bps', JITO, { threshold: '2000', clear_threshold: '1200', window_secs: 3600, value: flow.length ? '1740' : '310', verdict: flow.length ? 'between' : 'clear', level: 1, is_in_force: flow.length > 0 }),
      rule(5, `${RULES.outflow}5`, 'SOL / USDC cover', 'collateral_ratio', 'bps', 'DevSOLUSDCVau1t11111111111111111111111111111', { comparator: 'below', threshold: '11500', clear_threshold: '13000', value: isCrash ? '14920' : '19804', verdict: unknown ? 'indeterminate' : 'clear', level: 3, scope: 'guard', is_enabled: !isBuilding }),
    ],
  }
}

const FACTS = [
  ['keeper_started', 'The keeper started and resolved 3 journal rows.'],
  ['source_up', 'Source primary is up.'],
  ['transaction_landed', 'Observation of SOL landed.'],
  ['rule_became_true', 'SOL drawdown is true: 15.3 % of 15 %.'],
  ['breaker_tripped', 'SOL drawdown raised SOL to Halt.'],
  ['transaction_landed', 'Trip of SOL drawdown landed one slot after it was sent.'],
  ['position_liquidated', 'A position in SOL / USDC was liquidated: 1,204.11 USDC repaid.'],
  ['transaction_lost_race', 'Liquidation was done by another keeper first.'],
  ['source_down', 'Source backup is silent for 8 slots.'],
  ['source_up', 'Source backup is up again.'],
  ['position_deleveraged', 'A position in SOL / USDC was deleveraged softly: 88.02 USDC repaid.'],
  ['position_liquidated', 'A position in SOL / USDC was liquidated: 640.87 USDC repaid.'],
  ['transaction_expired', 'An observation expired; it was signed anew.'],
  ['transaction_landed', 'Liquidation landed two slots after it was sent.'],
]

/** The invented events up to now. */
export function eventsOf(scenario, startedTs) {
  if (scenario === 'empty') return []
  const facts = scenario === 'calm' ? FACTS.slice(0, 3) : FACTS
  const fields = (kind, index) => (kind.startsWith('transaction_') ? { signature: `${index + 1}`.padStart(64, '5') } : {})
  return facts.map(([kind, text], index) => ({ id: index + 1, ts: startedTs - 260 + index * 18, slot: 389_119_360 + index * 72, kind, text, fields: fields(kind, index) }))
}

/** The invented history of an asset. */
export function historyOf(scenario, address, now, startedTs) {
  const crash = scenario === 'halt' ? startedTs - 250 : scenario === 'building' ? startedTs - 30 : now + 1e6
  const factor = address === SOL ? 1 : address === JITO ? 1.214 : 0
  const samples = Array.from({ length: 1_200 }, (_, index) => {
    const ts = now - 1_200 + index
    const price = factor === 0 ? 0.99985 + 0.0001 * Math.sin(ts / 40) : priceAt(ts, crash, 168.4) * factor
    const half = price * (factor === 0 ? 0.0002 : ts > crash ? 0.006 : 0.0013)
    const unknown = scenario === 'indeterminate' && factor === 1 && index > 1_050
    const reference = factor === 0 ? 0.9999 : 168.2 * factor * (ts > crash ? 1 - 0.0001 * (ts - crash) : 1)
    const text = (value) => (unknown ? null : value.toFixed(9))
    return { ts, price: text(price), reference: reference.toFixed(9), lo: text(price - half), hi: text(price + half) }
  })
  return { samples }
}
