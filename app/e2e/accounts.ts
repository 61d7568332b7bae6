import { createHash } from 'node:crypto'
import { type Address, type Encoder, getAddressDecoder, getAddressEncoder, getBase64Decoder, getU64Encoder } from '@solana/kit'
import * as generated from '../src/generated'
import { eventsOf, historyOf, viewOf } from '../dev/sample.mjs'

// Invented data, nothing measured. The sample's names aren't addresses; here each becomes one.

/** Returns the address that stands for a name. */
export const key = (name: string): Address => getAddressDecoder().decode(createHash('sha256').update(name).digest())

/** The moment at which all of it is, unix seconds: pictures of the pages are compared with kept ones. */
export const NOW = 1_780_000_000
const now = NOW
const named = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replace(/"(Dev[^"]*)"/g, (_, name: string) => `"${key(name)}"`))
const SOL = key('DevSo1Asset1111111111111111111111111111111111')
const USDC = key('DevUsdcAsset111111111111111111111111111111111')
const GUARD = key('DevGuard1111111111111111111111111111111111111')
const SIGNER = key('DevSigner111111111111111111111111111111111111')
/** The vault that the accounts are about. */
export const VAULT = key('DevSOLUSDCVau1t11111111111111111111111111111')
/** The swap policy. */
export const POLICY = key('policy')
/** Whose position there is. */
export const OWNER = key('owner')

/** Returns an account in base64: of zeros, with some fields set. */
function made<T extends object>(decoder: { decode: (bytes: Uint8Array) => T }, encoder: Encoder<T>, size: number, fields: (empty: T) => object): string {
  const empty = decoder.decode(new Uint8Array(size))
  return getBase64Decoder().decode(encoder.encode({ ...empty, version: 1, ...fields(empty) }))
}

const u128 = (value: bigint) => ({ lo: value & ((1n << 64n) - 1n), hi: value >> 64n })
const g = generated

const vault = made(g.getVaultDecoder(), g.getVaultEncoder() as never, g.getVaultSize(), (v) => ({
  guard: GUARD, collateralAsset: SOL, loanAsset: USDC, collateralDecimals: 9, loanDecimals: 6,
  risk: { ...v.risk, ltvBps: 6_500, softLineBps: 7_500, liquidationLineBps: 8_200, targetLtvBps: 7_000, softBonusBps: 150, softQuotaBps: 2_000, minBonusBps: 200, maxBonusBps: 1_000, closeFactorBps: 5_000, fullCloseLtvBps: 9_500, minDebtAmount: 100_000_000n },
  curve: { ...v.curve, baseRateBps: 100, kinkRateBps: 900, maxRateBps: 9_000, kinkBps: 8_000, reserveFactorBps: 1_000 },
  supplyShares: u128(11_000_000_000_000n * 1_000_000n), borrowIndexQ64: u128(1n << 64n),
  limits: { ...v.limits, supplyCapAmount: 20_000_000_000_000n, borrowCapAmount: 16_000_000_000_000n, exitFloorBps: 100, loanFlow: { ...v.limits.loanFlow, hourlyBps: 500, dailyBps: 1_500, exitShareBps: 6_000, floorReserveBps: 2_000 } },
  loanFlow: { ...v.loanFlow, base: { ...v.loanFlow.base, amount: 10_000_000_000_000n, startedTs: BigInt(now - 3_600), lastTs: BigInt(now) } },
  breaker: { ...v.breaker, causes: v.breaker.causes.map((cause, n) => (n === 0 ? { ...cause, source: key('guardian 0'), kind: 2, level: 1, reach: 1, trippedAtTs: BigInt(now - 1_200), expiresAtTs: BigInt(now + 2_400), dwellUntilTs: BigInt(now - 300) } : cause)) },
}))
const guard = made(g.getGuardDecoder(), g.getGuardEncoder() as never, g.getGuardSize(), (v) => ({
  finality: 1, loosenDelaySecs: 172_800, authorityEpoch: 3n, 
  bounds: {
    ...v.bounds, maxEffectBps: 2_500, minLoosenDelaySecs: 172_800, maxTightenStepBps: 5_000, maxPauseSecs: 86_400, maxGuardianPauseSecs: 172_800, maxGuardPauseSecs: 864_000, quorumReserveSecs: 345_600,
    maxOracleAgeSecs: 120, maxConfidenceBps: 500, maxSlippageBps: 300, maxSwapLossBps: 200, maxRuleDurationSecs: 86_400, maxHourlyOutflowBps: 2_000, maxDailyOutflowBps: 5_000, minExitFloorBps: 50, maxLtvBps: 9_000, maxBonusBps: 1_500, maxExecutionWindowSecs: 259_200,
  },
  roles: { ...v.roles, root: key('root'), riskAdmin: key('risk'), resetter: key('reset'), vetoer: key('veto'), guardians: v.roles.guardians.map((none, n) => (n < 3 ? key(`guardian ${n}`) : none)), guardianCount: 3, guardianQuorum: 2 },
}))

const [LIMIT, CUSTODY] = [key('dollar limit'), key('custody')]
const dollars = { limitMicroUsd: 3_000_000_000_000n, windowSecs: 86_400, vaultShareBps: 5_000, switch: 2, reserved: new Uint8Array(1) }
const limit = made(g.getAggregateLimitDecoder(), g.getAggregateLimitEncoder() as never, g.getAggregateLimitSize(), () => ({ guard: GUARD, params: dollars }))
const custody = made(g.getIntegrationDecoder(), g.getIntegrationEncoder() as never, g.getIntegrationSize(), () => ({
  guard: GUARD, program: key('bridge'), mint: key('DevUsdcMint111111111111111111111111111111111'), holder: CUSTODY, index: 0, mode: 2, switch: 2, decimals: 6,
}))
const TARGETS: Record<number, Address> = { 8: GUARD, 10: LIMIT, 13: CUSTODY, 14: CUSTODY }

function change(id: bigint, group: number, next: Uint8Array, age: number): string {
  const padded = new Uint8Array(400)
  padded.set(next)
  return made(g.getPendingChangeDecoder(), g.getPendingChangeEncoder() as never, g.getPendingChangeSize(), () => ({
    guard: GUARD, target: TARGETS[group] ?? VAULT, rentTo: key('rent'), id, authorityEpoch: 3n, proposedAtTs: BigInt(now - age), etaTs: BigInt(now - age + 172_800), expiresAtTs: BigInt(now - age + 432_000), next: padded, group, direction: group === 8 ? 2 : 3,
  }))
}
const limits = g.getVaultDecoder().decode(Buffer.from(vault, 'base64')).limits
const wider = new Uint8Array(g.getVaultLimitsEncoder().encode({ ...limits, supplyCapAmount: 24_000_000_000_000n, loanFlow: { ...limits.loanFlow, hourlyBps: 600 } }))

const set = made(g.getKeeperSetDecoder(), g.getKeeperSetEncoder() as never, g.getKeeperSetSize(), (v) => ({
  guard: GUARD, epoch: 2n, count: 4, maxAgeSecs: 600, maxSpreadBps: 2_000,
  members: v.members.map((m, n) => ({ ...m, key: n === 0 ? SIGNER : key(`keeper ${n}`), role: n === 3 ? 2 : 1, sourceTag: n + 1, activeFromTs: BigInt(now - 90_000) })),
}))
const report = (n: number) => made(g.getReportDecoder(), g.getReportEncoder() as never, g.getReportSize(), () => ({
  guard: GUARD, subject: SOL, keeper: n === 0 ? SIGNER : key(`keeper ${n}`), observedAtTs: BigInt(now - 40 * n - 20), setEpoch: 2n,
  parts: { scoreBps: 6_100 + 240 * n, volatilityBps: 7_200 + 90 * n, liquidityBps: 4_100 - 120 * n, correlationBps: 5_500, anomalyBps: 3_000 + 400 * n, systemHealthBps: 9_900 },
}))
const reserve = made(g.getReserveDecoder(), g.getReserveEncoder() as never, g.getReserveSize(), (v) => ({
  guard: GUARD, assets: v.assets.map((a, n) => ({ ...a, asset: n === 0 ? SOL : USDC, accountedAmount: n === 0 ? 1_900_000_000_000n : 310_000_000_000n, decimals: n === 0 ? 9 : 6 })),
  plan: { ...v.plan, count: 2, quote: 1, scored: 0, minImprovementBps: 100, weightsBps: v.plan.weightsBps.map((_, n) => (n === 0 ? [5_000, 3_000, 1_000, 0] : n === 1 ? [5_000, 7_000, 9_000, 10_000] : [0, 0, 0, 0])) },
}))
const policy = made(g.getSwapPolicyDecoder(), g.getSwapPolicyEncoder() as never, g.getSwapPolicySize(), (v) => ({
  guard: GUARD, id: 1, counter: 14n, rebalancedAtTs: BigInt(now - 2_400), swappedMicroUsd: 412_000_000_000n, lostMicroUsd: 690_000_000n,
  swapped: { newestHour: BigInt(Math.floor(now / 3_600)), cells: v.swapped.cells.map((_, n) => (n === Math.floor(now / 3_600) % 25 ? 61_000_000_000n : 0n)) },
  lost: { newestHour: BigInt(Math.floor(now / 3_600)), cells: v.lost.cells.map((_, n) => (n === Math.floor(now / 3_600) % 25 ? 140_000_000n : 0n)) },
  params: { ...v.params, program: key('dex'), maxSwapMicroUsd: 25_000_000_000n, maxDayMicroUsd: 250_000_000_000n, lossDayMicroUsd: 500_000_000n, maxSlippageBps: 80, switch: 2 },
}))
const position = made(g.getPositionDecoder(), g.getPositionEncoder() as never, g.getPositionSize(), (v) => ({
  vault: VAULT, owner: OWNER, supplyShares: u128(84_000_000_000n * 1_000_000n), debtScaled: u128(21_000_000_000n), collateralAmount: 240_000_000_000n,
  tickets: { slots: v.tickets.slots.map((t, n) => (n === 0 ? { ...t, shares: u128(9_000_000_000n * 1_000_000n), state: 1, side: 0, eligibleAtTs: BigInt(now + 5_400), latestAtTs: BigInt(now + 610_000) } : t)) },
}))

/** The rules' own accounts, as the invented state tells of them. */
const METRICS: Record<string, number> = { drawdown: 1, deviation_from_reference: 2, oracle_age: 3, outflow_rate: 5, collateral_ratio: 6 }
interface ToldRule { address: string; id: number; metric: string; subject: string; comparator: string; threshold: string; clear_threshold: string; window_secs: number; level: number; scope: string }
const rules = (viewOf('halt', now, now).rules as ToldRule[]).map((told): [string, string] => [
  key(told.address),
  made(g.getRuleDecoder(), g.getRuleEncoder() as never, g.getRuleSize(), (v) => ({
    guard: GUARD, subject: key(told.subject), id: told.id,
    params: {
      ...v.params, metric: METRICS[told.metric] ?? 1, comparator: told.comparator === 'below' ? 2 : 1, threshold: BigInt(told.threshold), clearThreshold: BigInt(told.clear_threshold), windowSecs: Math.max(1, told.window_secs),
      minPersistSecs: 10, maxGapSecs: 60, durationSecs: 1_800, minDwellSecs: 600, minObservations: 3, sourcesRequired: 2, level: told.level, scope: told.scope === 'guard' ? 2 : 1, part: 1, referenceSpan: 1, standing: 1, bounty: 1, switch: 2,
    },
  })),
])

const ACCOUNTS: Record<string, [string, string][]> = {
  rule: rules,
  guard: [[GUARD, guard]],
  vault: [[VAULT, vault]],
  pending_change: [[key('change 1'), change(1n, 2, wider, 90_000)], [key('change 2'), change(2n, 8, new Uint8Array([0, 76, 5, 0]), 200_000)], [key('change 3'), change(3n, 10, new Uint8Array(g.getAggregateParamsEncoder().encode({ ...dollars, limitMicroUsd: 3_600_000_000_000n })), 40_000)], [key('change 4'), change(4n, 13, Uint8Array.from([1]), 30_000)], [key('change 5'), change(5n, 14, new Uint8Array(getAddressEncoder().encode(key('new holder'))), 20_000)]],
  aggregate_limit: [[LIMIT, limit]],
  integration: [[CUSTODY, custody]],
  keeper_set: [[key('set'), set]],
  report: [0, 1, 2].map((n) => [key(`report ${n}`), report(n)]),
  reserve: [[key('reserve'), reserve]],
  swap_policy: [[POLICY, policy]],
}
const listed = (found: [string, string][]) => ({ schema: 1, slot: 9, accounts: found.map(([address, data]) => ({ address, data })) })
const none = { signature: null, error: null, outcome: null, outcome_slot: null }
const reports = Array.from({ length: 90 }, (_, n) => ({ id: n + 1, at_ms: (now - n * 30) * 1_000, slot: 9, keeper: 'a', reporter: n % 3 === 0 ? SIGNER : key(`keeper ${n % 3}`), subject: SOL, observed_at_ts: now - n * 30, score_bps: Math.round(6_000 - n * 45 + 300 * (n % 3)), volatility_bps: 7_000, liquidity_bps: 4_000, correlation_bps: 5_500, anomaly_bps: 3_000, system_health_bps: 9_900 }))
const decisions = ['trip', 'liquidate', 'observe'].map((name, n) => ({ id: n + 1, at_ms: (now - 60 * n) * 1_000, slot: 9, keeper: 'dev-sample', class: name, subject: n === 1 ? VAULT : SOL, reason: 'the rule was true for its time', ...none, outcome: ['landed', 'failed', null][n], signature: '5'.repeat(64), error: n === 1 ? 'another keeper was first' : null }))

/** Thirty days of prices, an hour apart, with three falls of a fifth. */
const samples = Array.from({ length: 480 }, (_, n) => ({ id: n + 1, at_ms: (now - n * 5_400) * 1_000, slot: 9, keeper: 'a', price: [60, 61, 200, 360].includes(n) ? '120.5' : '150.25', reference: '150' }))

/** A transaction's logs with one event: SOL sold for USDC, with what it was worth and what it lost in millionths of a dollar. */
function swapLogs(spent: bigint, received: bigint, worth: bigint, loss: bigint): string[] {
  const keys = [POLICY, key('DevSo1Mint1111111111111111111111111111111111'), key('DevUsdcMint111111111111111111111111111111111')]
  const bytes = [150, 166, 26, 225, 28, 89, 38, 79, ...keys.flatMap((one) => [...getAddressEncoder().encode(one)]), ...[spent, received, worth, loss].flatMap((amount) => [...getU64Encoder().encode(amount)])]
  const program = g.RAMPART_PROGRAM_ADDRESS
  return [`Program ${program} invoke [1]`, `Program data: ${Buffer.from(bytes).toString('base64')}`, `Program ${program} success`]
}
const swaps: Record<string, unknown> = Object.fromEntries(
  [[2_400, swapLogs(80_000_000_000n, 11_388_000_000n, 11_416_000_000n, 28_000_000n)], [9_300, swapLogs(44_000_000_000n, 6_402_100_000n, 6_402_000_000n, 0n)]].map(([ago, logMessages], n) => [
    `${n + 1}`.repeat(64),
    { blockTime: now - Number(ago), meta: { logMessages } },
  ]),
)

/** Answers what a keeper passes on to the chain about past swaps; null for all else. */
export function relayed(body: string): unknown {
  const { method, params } = JSON.parse(body) as { method: string; params: string[] }
  if (method === 'getSignaturesForAddress') return { jsonrpc: '2.0', id: 1, result: Object.keys(swaps).map((signature) => ({ signature, err: null })) }
  return method === 'getTransaction' ? { jsonrpc: '2.0', id: 1, result: swaps[params[0] ?? ''] ?? null } : null
}

/** Answers, beside what is passed on, a listing of so many positions of the vault: each next one owes more. */
export function positionsOf(count: number): (body: string) => unknown {
  const encoder = g.getU128Encoder()
  const value = Array.from({ length: count }, (_, n) => {
    const data = Buffer.concat([Buffer.from(getAddressEncoder().encode(VAULT)), Buffer.from(getAddressEncoder().encode(key(`borrower ${n}`))), Buffer.from(encoder.encode(u128(0n))), Buffer.from(encoder.encode(u128(BigInt(n + 1) * 1_000_000n))), Buffer.from(getU64Encoder().encode(BigInt(n + 1) * BigInt(5_000_000 + ((n * 7_919) % 9_000_000))))])
    return { pubkey: key(`position ${n}`), account: { data: [data.toString('base64'), 'base64'] } }
  })
  const result = { context: { slot: 9 }, value }
  return (body) => ((JSON.parse(body) as { method: string }).method === 'getProgramAccounts' ? { jsonrpc: '2.0', id: 1, result } : null)
}

/** Answers a request to the keeper's API. */
export function answer(url: URL, scenario: string): unknown {
  const path = url.pathname.replace('/api/v1', '')
  const kind = url.searchParams.get('kind') ?? ''
  if (path === '/state') return named(viewOf(scenario, now, now))
  if (path === '/accounts') return listed(ACCOUNTS[kind] ?? [])
  if (path === '/positions') return listed(url.searchParams.get('owner') === OWNER ? [[key('position'), position]] : [])
  if (path === '/history/reports') return { items: reports, next: null }
  if (path === '/history/samples') return { items: samples, next: null }
  if (path === '/history/decisions') return { items: decisions, next: null }
  if (path === '/history') return historyOf(scenario, url.searchParams.get('asset') === SOL ? 'DevSo1Asset1111111111111111111111111111111111' : 'x', now, now)
  return null
}

/** The event stream as text. */
export function stream(scenario: string): string {
  return eventsOf(scenario, now).map((event: { kind: string; id: number }) => `event: ${event.kind}\nid: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}
