import { formatAmount, formatBps, formatCount } from '@/lib/amount'
import type { Leaf, Targets } from '@/lib/change'
import { levelText, LEVELS } from '@/lib/level'
import { formatMeasure, metricAt, metricText } from '@/lib/rule'
import { symbolOf } from '@/lib/names'
import type { View } from '@/lib/schema/view'
import { formatSpan } from '@/lib/time'

/** A token's name, and how its base units are shifted. */
export interface Token {
  decimals: number
  symbol: string
}

/** How the fields of an account are spelled. */
export interface FieldContext {
  /** The loan mint. */
  loan?: Token
  /** The collateral mint. */
  collateral?: Token
  /** Unit of a rule's threshold. */
  unit?: 'bps' | 'seconds'
  /** The reserve's assets, by place. */
  assets?: readonly Token[]
  /** The asset that a grant is of. */
  granted?: Token
  /** The integration’s own address: what it holds is the guard’s to let out. */
  own?: string
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
  bounty: SWITCHES,
  level: LEVEL_CHOICES,
  part: { 1: 'score', 2: 'volatility', 3: 'liquidity', 4: 'correlation', 5: 'anomaly', 6: 'system health' },
  pin: { 1: 'an account', 2: 'a feed' },
  purpose: { 1: 'rebalances', 2: 'liquidations', 3: 'both' },
  referenceSpan: { 1: 'the asset’s own half-life', 2: 'four hours', 3: 'a day' },
  scope: { 1: 'its subject', 2: 'the whole guard' },
  side: { 0: 'lent', 1: 'collateral' },
  standing: { 1: 'alone', 2: 'only in a group' },
  switch: SWITCHES,
}
/** Names of the numbers of `kind`, by group and list. */
const KINDS: Record<string, Record<number, string>> = {
  sources: { 0: 'none', 1: 'Pyth', 2: 'Switchboard' },
  rate: { 1: 'none', 2: 'SPL stake pool' },
}

/** Tells whether a number is a place in the reserve's basket. Windows have an `index` too: of a cell. */
function isPlace(path: readonly string[]): boolean {
  const name = namedPart(path)
  return name === 'quote' || name === 'scored' || (name === 'index' && (path.length === 1 || path.includes('grant')))
}

/** Returns the names of the numbers that a field may hold; null where numbers are just numbers. */
export function choicesOf(path: readonly string[], { assets }: FieldContext = {}): Readonly<Record<number, string>> | null {
  if (isPlace(path)) return assets === undefined ? null : Object.fromEntries(assets.map(({ symbol }, place) => [place, symbol]))
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

/** Returns the token that an amount is counted in; undefined where it isn't known. */
export function tokenOf(path: readonly string[], context: FieldContext): Token | undefined {
  if (namedPart(path) === 'amount') return context.granted
  const list = path.findIndex((part) => part === 'cover' || part === 'assets')
  if (list >= 0) return context.assets?.[Number(path[list + 1]) - 1]
  const isCollateral = path.some((part) => part.startsWith('collateral') || part === 'inflow')
  return isCollateral ? context.collateral : context.loan
}

function amountText(path: readonly string[], value: bigint, context: FieldContext): string {
  const token = tokenOf(path, context)
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
  if (/Amount$|^amount$/.test(name)) return amountText(path, value, context)
  if (/^(clearT|t)hreshold$/.test(name) && context.unit !== undefined) return formatMeasure(value, context.unit)
  if (name === 'balance') return `${formatCount(value)} base units`
  if (name === 'metric') return metricText(metricAt(whole).name)
  if (name === 'level') return levelText(LEVELS[whole] ?? 3).name
  if (name === 'switch') return whole === 2 ? 'on' : 'off'
  return choicesOf(path, context)?.[whole] ?? (isPlace(path) ? `asset ${whole + 1}` : formatCount(value))
}

/** Formats a field of an account by what its name says of its unit. */
export function fieldValue(path: readonly string[], value: Leaf | undefined, context: FieldContext): string {
  if (value === undefined) return 'not known'
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return numberText(path, BigInt(value), context)
}

/** Returns how the fields of an account of the guard are spelled; of its reserve only with the accounts that were read. */
export function contextOf(view: View, target: string, targets?: Pick<Targets, 'reserves' | 'integrations'>): FieldContext {
  const vault = view.vaults.find(({ address }) => address === target)
  const rule = view.rules.find(({ address }) => address === target)
  const reserve = targets?.reserves.find(({ address }) => address === target)?.value
  const tokens = vault && {
    loan: { decimals: vault.loan_decimals, symbol: symbolOf(view, vault.loan_asset) },
    collateral: { decimals: vault.collateral_decimals, symbol: symbolOf(view, vault.collateral_asset) },
  }
  const assets = reserve?.assets.slice(0, reserve.plan.count).map(({ asset, decimals }) => ({ decimals, symbol: symbolOf(view, asset) }))
  const isIntegration = targets?.integrations.some(({ address }) => address === target) === true
  return { ...tokens, ...(rule && { unit: rule.unit }), ...(assets && { assets }), ...(isIntegration && { own: target }) }
}

/** How both sides of a change are spelled. */
export interface Spelling {
  from: FieldContext
  to: FieldContext
}

/** Returns how both sides of a change are spelled: the amount of a grant is of the asset that this very side names. */
export function spellingOf(context: FieldContext, current: unknown, next: unknown): Spelling {
  const of = (value: unknown): FieldContext => {
    const place = typeof value === 'object' && value !== null && 'index' in value ? value.index : undefined
    const granted = typeof place === 'number' ? context.assets?.[place] : undefined
    return granted === undefined ? context : { ...context, granted }
  }
  return { from: of(current), to: of(next) }
}
