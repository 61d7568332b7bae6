import { type Asset as StoredAsset, type Guard, type Rule as StoredRule, type RuleGroup as StoredGroup, type Vault as StoredVault } from '@/generated'
import { type Held, u128 } from '@/lib/accounts'
import { bothAt, causesOf, levelsOf, strictestOf } from '@/lib/chain/breaker'
import { gaugesOf } from '@/lib/chain/flow'
import { type Stored, decimalOf, sourceOf } from '@/lib/chain/oracle'
import type { Row } from '@/lib/chain/positions'
import { type Level, LEVELS, levelText } from '@/lib/level'
import { metricAt } from '@/lib/rule'
import type { Asset, Bin, Rule, RuleGroup, Sample, Vault, View } from '@/lib/schema/view'
import { shortAddress } from '@/lib/names'

// The accounts' own words in the form of the keeper's view, for a page without a keeper. What only the program's code can
// judge (whether sources agree, what a rule measures) stays unknown here: it isn't written a second time.

/** What a view is built from. */
export interface Chain {
  slot: number
  /** The chain's clock, unix seconds. */
  nowTs: number
  guard: Held<Guard>
  assets: readonly Held<StoredAsset>[]
  vaults: readonly Held<StoredVault>[]
  rules: readonly Held<StoredRule>[]
  /** Groups of rules that trip only together. */
  groups: readonly Held<StoredGroup>[]
  /** Positions of all vaults; null while they weren't read. */
  positions: readonly Row[] | null
  /** Accounts of the price sources, by address. */
  oracles: ReadonlyMap<string, Stored>
  /** Names of accounts. */
  labels: Readonly<Record<string, string>>
}

const Q64 = 1n << 64n
const BPS = 10_000n
const DAY_SECS = 86_400
const [BARS, BAR_BPS] = [21, 500]
const ENABLED = 2
const SCOPE_GUARD = 2
const BELOW = 2

/** Returns a U64.64 number as a decimal, `shift` powers of ten larger. */
function fixed(q64: bigint, shift = 0): string {
  const PLACES = 18
  const scaled = (q64 * 10n ** BigInt(PLACES + shift)) / Q64
  return decimalOf(scaled, -PLACES)
}

/** Names accounts: by the labels, else by what they are about, else by their short address. */
class Names {
  constructor(private readonly chain: Chain) {}

  asset(address: string): string {
    const asset = this.chain.assets.find((held) => held.address === address)
    const { labels } = this.chain
    return labels[address] ?? (asset === undefined ? shortAddress(address) : (labels[asset.value.mint] ?? shortAddress(asset.value.mint)))
  }

  vault(address: string): string {
    const vault = this.chain.vaults.find((held) => held.address === address)?.value
    return this.chain.labels[address] ?? (vault === undefined ? shortAddress(address) : `${this.asset(vault.collateralAsset)}/${this.asset(vault.loanAsset)}`)
  }

  subject(address: string): string {
    return this.chain.vaults.some((held) => held.address === address) ? this.vault(address) : this.asset(address)
  }

  /** Of what holds a cause: a rule, or whoever paused. */
  source = (address: string): string => {
    const rule = this.chain.rules.find((held) => held.address === address)?.value
    if (this.chain.labels[address] !== undefined) return this.chain.labels[address]
    return rule === undefined ? shortAddress(address) : `${this.subject(rule.subject)} ${metricAt(rule.params.metric).name.replaceAll('_', ' ')}`
  }
}

/** The last price that the program wrote down for an asset; null where there is none, or it is too old to show. */
export function recordedPrice(asset: StoredAsset, nowTs: number): bigint | null {
  const seen = asset.window.cells.filter(({ samples }) => samples > 0n)
  const [first, ...rest] = seen
  if (first === undefined || nowTs - Number(asset.reference.updatedAtTs) > asset.referenceParams.maxAgeSecs) return null
  return u128(rest.reduce((newest, cell) => (cell.index > newest.index ? cell : newest), first).closeQ64)
}

/** Returns the prices that an asset's window holds, oldest first. */
export function windowSamples(asset: StoredAsset): Sample[] {
  const seen = asset.window.cells.filter(({ samples }) => samples > 0n).sort((a, b) => Number(a.index - b.index))
  return seen.map((cell) => ({
    ts: Number(cell.index) * asset.window.cellSecs,
    price: fixed(u128(cell.closeQ64)),
    reference: null,
    lo: fixed(u128(cell.lowQ64)),
    hi: fixed(u128(cell.highQ64)),
  }))
}

/** Highest price of the last `spanSecs`; of the whole memory without them. Source: `Window::view`. */
function highOf(asset: StoredAsset, nowTs: number, spanSecs?: number): string | null {
  const cellSecs = Math.max(1, asset.window.cellSecs)
  const newest = BigInt(Math.floor(nowTs / cellSecs))
  const size = BigInt(spanSecs === undefined ? asset.window.cells.length : Math.ceil(spanSecs / cellSecs))
  if (size > BigInt(asset.window.cells.length)) return null
  const seen = asset.window.cells.filter(({ samples, index }) => samples > 0n && index > newest - size && index <= newest)
  return seen.length === 0 ? null : fixed(seen.reduce((high, cell) => (u128(cell.highQ64) > high ? u128(cell.highQ64) : high), 0n))
}

function assetOf({ address, value }: Held<StoredAsset>, chain: Chain, names: Names): Asset {
  const { nowTs } = chain
  const { risk: level } = levelsOf(value.breaker, nowTs)
  const recorded = recordedPrice(value, nowTs)
  const price = recorded === null ? null : fixed(recorded)
  const hasReference = value.reference.samples > 0n
  const age = Math.max(0, nowTs - Number(value.reference.updatedAtTs))
  return {
    address,
    mint: value.mint,
    symbol: names.asset(address),
    decimals: value.decimals,
    level,
    level_name: levelText(level).name,
    causes: causesOf(value.breaker, nowTs, names.source),
    price: {
      state: price === null ? 'indeterminate' : 'recorded',
      reason: price === null ? 'recorded_old' : 'unjudged',
      lo: price,
      mid: price,
      hi: price,
      agreeing: 0,
      required: value.oracle.required,
      sources: value.oracle.sources.slice(0, value.oracle.count).map((source) => sourceOf(source, chain.oracles.get(source.account) ?? null, nowTs)),
    },
    reference: {
      price: hasReference ? fixed(u128(value.reference.priceQ64)) : null,
      age_secs: hasReference ? age : null,
      is_warm: hasReference && value.reference.samples >= BigInt(Math.max(1, value.referenceParams.minSamples)) && age <= value.referenceParams.maxAgeSecs,
    },
    window_high: highOf(value, nowTs),
  }
}

/** Loan base units for one collateral base unit, U64.64, at the last recorded prices; null without one of them. */
function pairOf(vault: StoredVault, chain: Chain): bigint | null {
  const recorded = (address: string) => {
    const asset = chain.assets.find((held) => held.address === address)?.value
    return asset === undefined ? null : recordedPrice(asset, chain.nowTs)
  }
  const [collateral, loan] = [recorded(vault.collateralAsset), recorded(vault.loanAsset)]
  if (collateral === null || loan === null || loan === 0n) return null
  return (collateral * Q64 * 10n ** BigInt(vault.loanDecimals)) / (loan * 10n ** BigInt(vault.collateralDecimals))
}

/** Yearly rate at a utilisation, bps. Source: `InterestCurve::rate_bps`. */
export function rateBps({ curve }: StoredVault, utilisationBps: bigint): bigint {
  const [u, kink] = [utilisationBps > BPS ? BPS : utilisationBps, BigInt(curve.kinkBps)]
  const [low, high, over, span] = u <= kink ? [curve.baseRateBps, curve.kinkRateBps, u, kink] : [curve.kinkRateBps, curve.maxRateBps, u - kink, BPS - kink]
  const rise = BigInt(Math.max(0, high - low)) * over
  const width = span === 0n ? 1n : span
  return BigInt(low) + (rise + width - 1n) / width
}

/** Counts a vault's positions by their loan to value at a price. Source: `Tally` of the keeper's sweep. */
function tallyOf(vault: StoredVault, rows: readonly Row[], pair: bigint | null): Vault['positions'] {
  const bars: Bin[] = Array.from({ length: BARS }, (_, at) => ({ ltv_from_bps: at * BAR_BPS, ltv_to_bps: (at + 1) * BAR_BPS, count: 0, debt_amount: 0n }))
  const tally = { count: rows.length, borrowers: 0, soft: 0, liquidatable: 0 }
  const index = u128(vault.borrowIndexQ64)
  for (const { debtScaled, collateral } of rows) {
    if (debtScaled === 0n) continue
    tally.borrowers += 1
    if (pair === null) continue
    const debt = (debtScaled * index + Q64 - 1n) / Q64
    const value = (collateral * pair + Q64 - 1n) / Q64
    const ltv = value === 0n ? BARS * BAR_BPS : Number((debt * BPS) / value)
    if (ltv >= vault.risk.liquidationLineBps) tally.liquidatable += 1
    else if (ltv >= vault.risk.softLineBps) tally.soft += 1
    const bar = bars[Math.min(Math.floor(ltv / BAR_BPS), BARS - 1)]
    if (bar !== undefined) Object.assign(bar, { count: bar.count + 1, debt_amount: bar.debt_amount + debt })
  }
  return { ...tally, histogram: pair === null ? [] : bars }
}

function vaultOf({ address, value: vault }: Held<StoredVault>, chain: Chain, names: Names): Vault {
  const { nowTs } = chain
  const assets = chain.assets.filter((held) => [vault.collateralAsset, vault.loanAsset].includes(held.address as never))
  const breakers = [chain.guard.value.breaker, vault.breaker, ...assets.map(({ value }) => value.breaker)]
  const isResolving = vault.resolution.state !== 0
  const levels = isResolving ? bothAt(4) : strictestOf(breakers.map((breaker) => levelsOf(breaker, nowTs)))
  const debt = (u128(vault.debtScaled) * u128(vault.borrowIndexQ64)) / Q64
  const there = vault.cashAmount + vault.resolution.paidAmount
  const utilisation = debt === 0n ? 0n : (debt * BPS + debt + there - 1n) / (debt + there)
  const lenders = vault.cashAmount + debt - vault.insuranceAmount
  const pair = pairOf(vault, chain)
  const shown = pair === null ? null : fixed(pair, vault.collateralDecimals - vault.loanDecimals)
  return {
    address,
    name: names.vault(address),
    collateral_asset: vault.collateralAsset,
    loan_asset: vault.loanAsset,
    level: levels.risk,
    level_name: levelText(levels.risk).name,
    exit_level: levels.exit,
    own_level: levelsOf(vault.breaker, nowTs).risk,
    causes: breakers.flatMap((breaker) => causesOf(breaker, nowTs, names.source)),
    cash_amount: vault.cashAmount,
    debt_amount: debt,
    lenders_amount: lenders < 0n ? 0n : lenders,
    insurance_amount: vault.insuranceAmount,
    collateral_amount: vault.collateralAmount,
    utilisation_bps: Number(utilisation),
    rate_bps: Number(rateBps(vault, utilisation)),
    supply_cap_amount: vault.limits.supplyCapAmount,
    borrow_cap_amount: vault.limits.borrowCapAmount,
    collateral_cap_amount: vault.limits.collateralCapAmount,
    loan_decimals: vault.loanDecimals,
    collateral_decimals: vault.collateralDecimals,
    price: { state: shown === null ? 'indeterminate' : 'recorded', reason: shown === null ? 'recorded_old' : 'unjudged', lo: shown, hi: shown },
    price_for_new_risk: null,
    ltv_now_bps: null,
    borrow_index_q64: null,
    lines: { ltv_bps: vault.risk.ltvBps, soft_line_bps: vault.risk.softLineBps, liquidation_line_bps: vault.risk.liquidationLineBps },
    limits: {
      loan: gaugesOf(vault.loanFlow, vault.limits.loanFlow, nowTs, levels),
      collateral: gaugesOf(vault.collateralFlow, vault.limits.collateralFlow, nowTs, levels),
    },
    exit_floor_bps: vault.limits.exitFloorBps,
    positions: tallyOf(vault, chain.positions?.filter((row) => row.vault === address) ?? [], pair),
    totals: {
      supplied_amount: vault.totals.suppliedAmount,
      withdrawn_amount: vault.totals.withdrawnAmount,
      borrowed_amount: vault.totals.borrowedAmount,
      repaid_amount: vault.totals.repaidAmount,
      liquidated_amount: vault.totals.liquidatedAmount,
      seized_amount: vault.totals.seizedAmount,
      bad_debt_amount: vault.totals.badDebtAmount,
      insured_amount: vault.totals.insuredAmount,
    },
  }
}

const SPANS: Record<number, 'short' | 'four_hours' | 'day'> = { 1: 'short', 2: 'four_hours', 3: 'day' }
const MEMBER = 2
const US_DOLLAR = 2
/** Half-lives of the slow references, seconds, by their span. Source: `ANCHOR_SECS`. */
const ANCHOR_SECS: Record<number, { at: number; secs: number }> = { 2: { at: 0, secs: 14_400 }, 3: { at: 1, secs: DAY_SECS } }

/** The reference of a span, where it is warm and recent. Source: `Asset::reference_of`. */
function referenceOf(asset: StoredAsset, span: number, nowTs: number): bigint | null {
  const age = nowTs - Number(asset.reference.updatedAtTs)
  const slow = ANCHOR_SECS[span]
  if (slow === undefined) {
    const isWarm = asset.reference.samples >= BigInt(Math.max(1, asset.referenceParams.minSamples)) && age <= asset.referenceParams.maxAgeSecs
    return isWarm ? u128(asset.reference.priceQ64) : null
  }
  const anchor = asset.anchors[slow.at]
  return anchor === undefined || anchor.weighedSecs < BigInt(slow.secs) || age > slow.secs ? null : u128(anchor.priceQ64)
}

/** What the measure of a rule holds the present price against, by what was written down of it. */
function comparedOf({ params, held, subject }: StoredRule, chain: Chain): string | null {
  const asset = chain.assets.find(({ address }) => address === (subject as string))?.value
  const metric = metricAt(params.metric).name
  if (asset === undefined) return null
  if (metric === 'drawdown') return highOf(asset, chain.nowTs, params.windowSecs)
  if (metric === 'peg_deviation') return asset.peg === US_DOLLAR ? '1' : null
  if (metric !== 'deviation_from_reference') return null
  const isHeld = BigInt(chain.nowTs) < held.untilTs
  const price = isHeld ? u128(held.priceQ64) : referenceOf(asset, params.referenceSpan, chain.nowTs)
  return price === null ? null : fixed(price)
}

function ruleOf({ address, value: rule }: Held<StoredRule>, chain: Chain, names: Names): Rule {
  const { params } = rule
  const metric = metricAt(params.metric)
  const level = raisedBy(params.level)
  return {
    address,
    id: rule.id,
    name: names.source(address),
    metric: metric.name,
    unit: metric.unit,
    subject: rule.subject,
    subject_name: names.subject(rule.subject),
    comparator: params.comparator === BELOW ? 'below' : 'above',
    threshold: params.threshold,
    clear_threshold: params.clearThreshold,
    window_secs: params.windowSecs,
    value: null,
    verdict: 'indeterminate',
    reason: 'no_keeper',
    level,
    level_name: levelText(level).name,
    scope: params.scope === SCOPE_GUARD ? 'guard' : 'subject',
    streak: { count: Number(rule.streak.count), since_ts: rule.streak.count > 0n ? Number(rule.streak.firstTrueTs) : null },
    min_persist_secs: params.minPersistSecs,
    min_observations: params.minObservations,
    trip_epoch: rule.tripEpoch,
    is_in_force: isInForce(address, chain),
    is_enabled: params.switch === ENABLED,
    reference_span: metric.name === 'deviation_from_reference' ? (SPANS[params.referenceSpan] ?? null) : null,
    compared_price: comparedOf(rule, chain),
    standing: params.standing === MEMBER ? 'member' : 'alone',
    groups: chain.groups.filter(({ value }) => value.rules.slice(0, value.count).includes(address as never)).map((held) => groupOf(held, chain)),
  }
}

const raisedBy = (level: number): Level => LEVELS.find((known) => known === level) ?? 3

/** Tells whether a rule or a group holds a cause of any level. */
function isInForce(source: string, chain: Chain): boolean {
  const scopes = [chain.guard, ...chain.assets, ...chain.vaults].map(({ value }) => value.breaker)
  return scopes.some((breaker) => causesOf(breaker, chain.nowTs, String).some((cause) => cause.rule === source))
}

function groupOf({ address, value: group }: Held<StoredGroup>, chain: Chain): RuleGroup {
  const level = raisedBy(group.params.level)
  return {
    address,
    id: group.id,
    level,
    level_name: levelText(level).name,
    scope: group.scope,
    rules: group.rules.slice(0, group.count),
    is_in_force: isInForce(address, chain),
  }
}

/** Returns the addresses of the price sources' accounts. */
export function oraclesOf(assets: readonly Held<StoredAsset>[]): string[] {
  const BY_ACCOUNT = 1
  const pinned = assets.flatMap(({ value }) => value.oracle.sources.slice(0, value.oracle.count).filter(({ pin }) => pin === BY_ACCOUNT))
  return [...new Set(pinned.map(({ account }) => account as string))]
}

/** Returns the state as the accounts tell it. */
export function viewOfChain(chain: Chain): View {
  const names = new Names(chain)
  const { risk: level } = levelsOf(chain.guard.value.breaker, chain.nowTs)
  return {
    schema: 1,
    keeper: null,
    peers: [],
    chain: { slot: chain.slot, unix_ts: chain.nowTs },
    guard: { address: chain.guard.address, level, level_name: levelText(level).name, causes: causesOf(chain.guard.value.breaker, chain.nowTs, names.source) },
    assets: chain.assets.map((held) => assetOf(held, chain, names)),
    vaults: chain.vaults.map((held) => vaultOf(held, chain, names)),
    rules: chain.rules.map((held) => ruleOf(held, chain, names)),
    reserve: null,
  }
}
