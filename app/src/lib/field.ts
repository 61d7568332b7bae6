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

/** Returns a path in words: `loanFlow.hourlyBps` is "Loan flow, hourly". */
export function fieldName(path: readonly string[]): string {
  if (path.length === 0) return 'Value'
  const words = path.map((part) => part.replace(ENDINGS, '').replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase().replace(/\bltv\b/g, 'LTV'))
  const text = words.filter(Boolean).join(', ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function amountText(path: readonly string[], value: bigint, context: FieldContext): string {
  const isCollateral = path.some((part) => part.startsWith('collateral') || part === 'inflow')
  const token = isCollateral ? context.collateral : context.loan
  return token === undefined ? `${formatCount(value)} base units` : `${formatAmount(value, token.decimals)} ${token.symbol}`
}

const COMPARATORS: Record<number, string> = { 1: 'above', 2: 'below' }

function numberText(path: readonly string[], value: bigint, context: FieldContext): string {
  const name = path.at(-1) ?? ''
  const whole = Number(value)
  if (/Bps$/.test(path.find((part) => ENDINGS.test(part)) ?? name)) return formatBps(value)
  if (name.endsWith('Secs')) return `${formatSpan(whole)} (${formatCount(value)} s)`
  if (name.endsWith('MicroUsd')) return `$${formatAmount(value, 6)}`
  if (name.endsWith('Lamports')) return `${formatAmount(value, 9, 9)} SOL`
  if (name.endsWith('Ts')) return value === 0n ? 'never' : new Date(whole * 1_000).toISOString().replace('.000Z', ' UTC').replace('T', ' ')
  if (name.endsWith('Amount')) return amountText(path, value, context)
  if (/^(clearT|t)hreshold$/.test(name) && context.unit !== undefined) return formatMeasure(value, context.unit)
  if (name === 'balance') return `${formatCount(value)} base units`
  if (name === 'level') return levelText(LEVELS[whole] ?? 3).name
  if (name === 'metric' && context.metric !== undefined) return metricText(context.metric)
  if (name === 'comparator') return COMPARATORS[whole] ?? formatCount(value)
  if (name === 'switch') return whole === 2 ? 'on' : 'off'
  return formatCount(value)
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
