import { allCauses } from '@/lib/cause'
import { type Level, levelText, strictest } from '@/lib/level'
import type { View } from '@/lib/schema/view'
import { formatAgo } from '@/lib/time'

/** The protocol's state in three lines. */
export interface Summary {
  /** The strictest level in force. */
  level: Level
  /** Where it holds. */
  headline: string
  /** Why it holds. */
  why: string
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`

function headlineOf(view: View, level: Level): string {
  if (level === 0) return view.vaults.length === 0 ? 'No vaults yet' : 'All vaults are open'
  if (view.guard.level === level) return `${levelText(level).name} on the whole guard`
  const vaults = view.vaults.filter((vault) => vault.level === level).map(({ name }) => name)
  const assets = view.assets.filter((asset) => asset.level === level).map(({ symbol }) => symbol)
  return `${levelText(level).name} on ${listed(vaults.length > 0 ? vaults : assets)}`
}

function whyOf(view: View, level: Level, nowTs: number): string {
  const cause = allCauses(view).find((held) => held.level === level)
  if (level > 0 && cause !== undefined) {
    return `${cause.rule_name} was proved true ${formatAgo(cause.tripped_at_ts, nowTs)} on ${cause.scope}.`
  }
  if (level > 0) return 'The keeper lists no cause for it.'
  return levelText(0).meaning
}

/** Returns the names of the assets without an agreed price. */
export function priceless(view: View): string[] {
  return view.assets.filter(({ price }) => price.state === 'indeterminate').map(({ symbol }) => symbol)
}

/** Returns the sentence about assets without an agreed price; null when all are agreed. */
export function priceNote(view: View): string | null {
  const names = priceless(view)
  return names.length === 0 ? null : `No agreed price for ${listed(names)}: borrowing and liquidation wait, exits don’t.`
}

/** Returns a view's summary. */
export function summarise(view: View, nowTs: number): Summary {
  const level = strictest([view.guard.level, ...view.assets.map((a) => a.level), ...view.vaults.map((v) => v.level)])
  return { level, headline: headlineOf(view, level), why: whyOf(view, level, nowTs) }
}
