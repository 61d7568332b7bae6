import { formatAmount, formatBps, formatCount } from '@/lib/amount'
import type { Leaf } from '@/lib/change'
import { levelText, LEVELS } from '@/lib/level'
import { formatMeasure, metricText } from '@/lib/rule'
import { symbolOf } from '@/lib/names'
import type { View } from '@/lib/schema/view'
import { formatSpan } from '@/lib/time'

/** Metrics by number. Source: `Metric` of `state/rule.rs`. */
export interface FieldContext {
  /** Decimals of the loan mint. */
  loan?: { decimals: number; symbol: string }
  /** Decimals of the collateral mint. */
  collateral?: { decimals: number; symbol: string }
  /** Unit of a rule's threshold. */
  unit?: 'bps' | 'seconds'
  /** Metric of a rule. */
  metric?: string
}

const ENDINGS = /(Bps|Secs|Amount|MicroUsd|Lamports|Ts|E9)$/

/** Returns the part of a path that says what is counted: a place in a list doesn’t. */
export function namedPart(path: readonly string[]): string {
  return path.findLast((part) => !/^\d+$/.test(part)) ?? ''
}

const LEVEL_CHOICES = Object.fromEntries([0, 1, 2, 3].map((level) => [level, levelText(LEVELS[level] ?? 3).name]))
const COMPARATORS: Record<number, string> = { 1: 'above', 2: 'below' }
const SWITCHES: Record<number, string> = { 1: 'off', 2: 'on' }
/** Names of numbers, by field. Source: the stored enums of the program. */
const CHOICES: Record<string, Record<number, string>> = {
  caller: { 1: 'anyone', 2: 'keepers' },
  comparator: COMPARATORS,
  level: LEVEL_CHOICES,
  pin: { 1: 'an account', 2: 'a feed' },
  purpose: { 1: 'rebalances', 2: 'liquidations', 3: 'both' },
  switch: SWITCHES,
}
/** Names of the numbers of `kind`, by group and list. */
const KINDS: Record<string, Record<number, string>> = {
  sources: { 0: 'none', 1: 'Pyth', 2: 'Switchboard' },
  rate: { 1: 'none', 2: 'SPL stake pool' },
}

/** Returns the names of the numbers that a field may hold; null where numbers are just numbers. */
export function choicesOf(path: readonly string[]): Readonly<Record<number, string>> | null {
  const name = namedPart(path)
  return (name === 'kind' ? KINDS[path[0] ?? ''] : CHOICES[name]) ?? null
}

/** Returns a path in words: `loanFlow.hourlyBps` is "Loan flow, hourly". */
export function fieldName(path: readonly string[]): string {
  if (path.length === 0) return 'Value'
  const [list = '', asset = '', level = ''] = path
  if (list === 'weightsBps') return `Weight of asset ${asset}, at ${LEVEL_CHOICES[Number(level) - 1] ?? level}`
  const words = path.map((part) => part.replace(ENDINGS, '').replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase().replace(/\bltv\b/g, 'LTV'))
  const text = words.filter(Boolean).join(', ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function amountText(path: readonly string[], value: bigint, context: FieldContext): string {
  const isCollateral = path.some((part) => part.startsWith('collateral') || part === 'inflow')
  const token = isCollateral ? context.collateral : context.loan
  return token === undefined ? `${formatCount(value)} base units` : `${formatAmount(value, token.decimals)} ${token.symbol}`
}

function numberText(path: readonly string[], value: bigint, context: FieldContext): string {
  const name = namedPart(path)
  const whole = Number(value)
  if (/Bps$/.test(path.find((part) => ENDINGS.test(part)) ?? name)) return formatBps(value)
  if (name.endsWith('Secs')) return `${formatSpan(whole)} (${formatCount(value)} s)`
  if (name.endsWith('MicroUsd')) return `$${formatAmount(value, 6)}`
  if (name.endsWith('Lamports')) return `${formatAmount(value, 9, 9)} SOL`
  if (name.endsWith('Ts')) return value === 0n ? 'never' : new Date(whole * 1_000).toISOString().replace('.000Z', ' UTC').replace('T', ' ')
  if (name.endsWith('Amount')) return amountText(path, value, context)
  if (/^(clearT|t)hreshold$/.test(name) && context.unit !== undefined) return formatMeasure(value, context.unit)
  if (name === 'balance') return `${formatCount(value)} base units`
  if (name === 'metric' && context.metric !== undefined) return metricText(context.metric)
  if (name === 'level') return levelText(LEVELS[whole] ?? 3).name
  if (name === 'switch') return whole === 2 ? 'on' : 'off'
  return choicesOf(path)?.[whole] ?? formatCount(value)
}

/** Formats a field of an account by what its name says of its unit. */
export function fieldValue(path: readonly string[], value: Leaf | undefined, context: FieldContext): string {
  if (value === undefined) return 'not known'
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return numberText(path, BigInt(value), context)
}

/** Returns how the fields of an account of the guard are spelled. */
export function contextOf(view: View, target: string): FieldContext {
  const vault = view.vaults.find(({ address }) => address === target)
  const rule = view.rules.find(({ address }) => address === target)
  const tokens = vault && {
    loan: { decimals: vault.loan_decimals, symbol: symbolOf(view, vault.loan_asset) },
    collateral: { decimals: vault.collateral_decimals, symbol: symbolOf(view, vault.collateral_asset) },
  }
  return { ...tokens, ...(rule && { unit: rule.unit, metric: rule.metric }) }
}
