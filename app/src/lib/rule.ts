import { formatAmount, formatBps, shareBps } from '@/lib/amount'
import type { Rule, RuleGroup } from '@/lib/schema/view'

/** A metric's name, and what it measures. */
const METRICS: Record<string, string> = {
  drawdown: 'Fall from the window’s high',
  deviation_from_reference: 'Gap to the reference',
  oracle_age: 'Age of the price',
  confidence_ratio: 'Width of the confidence band',
  outflow_rate: 'Outflow in the window',
  collateral_ratio: 'Collateral over debt',
  realized_volatility: 'Volatility in the window',
  source_disagreement: 'Gap between sources',
  peg_deviation: 'Gap to the peg',
  supply_growth: 'Growth of the supply',
  inflow_rate: 'Inflow in the window',
  utilisation: 'Lent out',
  reserve_cover: 'Insurance over debt',
  keeper_median: 'Median report of keepers',
  keeper_silence: 'Time without a quorum of reports',
  keeper_spread: 'Gap between reports',
  vault_shortfall: 'Missing from the vault’s accounts',
}

/** Metrics by their number on chain. Source: `Metric` of `state/rule.rs`. */
const NUMBERED: Record<number, string> = {
  1: 'drawdown',
  2: 'deviation_from_reference',
  3: 'oracle_age',
  4: 'confidence_ratio',
  5: 'outflow_rate',
  6: 'collateral_ratio',
  8: 'realized_volatility',
  9: 'source_disagreement',
  10: 'peg_deviation',
  11: 'supply_growth',
  12: 'inflow_rate',
  13: 'utilisation',
  14: 'reserve_cover',
  15: 'keeper_median',
  16: 'keeper_silence',
  17: 'keeper_spread',
  20: 'vault_shortfall',
}

const IN_SECONDS: readonly string[] = ['oracle_age', 'keeper_silence']

/** Returns the name and unit of a metric by its number on chain. */
export function metricAt(metric: number): { name: string; unit: Rule['unit'] } {
  const name = NUMBERED[metric] ?? 'unknown'
  return { name, unit: IN_SECONDS.includes(name) ? 'seconds' : 'bps' }
}

/** Returns a metric's name in words. */
export function metricText(metric: string): string {
  return METRICS[metric] ?? metric.replaceAll('_', ' ')
}

/** The largest number of a measure: an age that no source tells, a silence without end, a share beyond all others. Source: `Bps::MAX`, `oracle_age`. */
const BEYOND = (1n << 32n) - 1n

/** Formats a value in a rule's unit. The largest number stands for what no number tells, and isn't shown as one. */
export function formatMeasure(value: bigint, unit: Rule['unit']): string {
  if (value >= BEYOND) return unit === 'bps' ? 'beyond measure' : 'unknown'
  return unit === 'bps' ? formatBps(value) : `${formatAmount(value, 0)} s`
}

/** How near a rule is to being true. */
export interface Distance {
  /** What is left to the threshold, in the rule's unit; 0 when it is reached. */
  left: bigint
  /** The way covered, 0 to 1; 1 at the threshold and beyond it. */
  share: number
}

/** Returns the distance of a rule's value to its threshold; null without a value. */
export function distanceOf(rule: Pick<Rule, 'value' | 'threshold' | 'comparator'>): Distance | null {
  const { value, threshold, comparator } = rule
  if (value === null) return null
  const gap = comparator === 'above' ? threshold - value : value - threshold
  if (gap <= 0n) return { left: 0n, share: 1 }
  const share = comparator === 'above' ? shareBps(value, threshold) : shareBps(threshold, value)
  return { left: gap, share: Math.min(1, share / 10_000) }
}

/** A rule's verdict in words. */
export const VERDICT_TEXT: Record<Rule['verdict'], string> = {
  true: 'True',
  between: 'Between',
  clear: 'Clear',
  indeterminate: 'Unknown',
}

/** References by their span, in words. */
const SPANS: Record<string, string> = { short: 'the short reference', four_hours: 'the reference of 4 hours', day: 'the reference of a day' }

/** What a rule's measure is held against, in words; null for a metric that names it already. */
export function spanText({ reference_span }: Pick<Rule, 'reference_span'>): string | null {
  return reference_span === null ? null : (SPANS[reference_span] ?? null)
}

/** Whether a rule acts: in force, ready to trip by itself, only with its group, or off. */
export function standingText({ is_in_force, is_enabled, standing, groups }: Pick<Rule, 'is_in_force' | 'is_enabled' | 'standing' | 'groups'>): string {
  if (is_in_force) return 'In force'
  if (!is_enabled) return 'Off'
  if (standing === 'alone') return 'Armed'
  return groups.some((group) => group.is_in_force) ? 'In force with its group' : 'Only with its group'
}

/** Returns all groups of rules, each once, by number. */
export function groupsOf(rules: readonly Rule[]): RuleGroup[] {
  const byAddress = new Map(rules.flatMap(({ groups }) => groups.map((group) => [group.address, group] as const)))
  return [...byAddress.values()].sort((a, b) => a.id - b.id)
}

/** Returns when a true rule may trip by itself at the earliest; null where it doesn't count towards a trip. */
export function earliestTrip(rule: Rule): number | null {
  if (rule.standing === 'member') return null
  if (rule.verdict !== 'true' || !rule.is_enabled || rule.is_in_force || rule.streak.since_ts === null) return null
  return rule.streak.since_ts + rule.min_persist_secs
}

const URGENCY: Record<Rule['verdict'], number> = { true: 3, indeterminate: 2, between: 1, clear: 0 }

/** Orders rules by urgency: in force, true, unknown, between, then the nearest to its threshold. */
export function byUrgency(a: Rule, b: Rule): number {
  const force = Number(b.is_in_force) - Number(a.is_in_force)
  const verdict = URGENCY[b.verdict] - URGENCY[a.verdict]
  return force || verdict || (distanceOf(b)?.share ?? 0) - (distanceOf(a)?.share ?? 0) || a.id - b.id
}
