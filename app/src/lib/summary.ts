import { allCauses, type HeldCause } from '@/lib/cause'
import { type Level, levelText, strictest } from '@/lib/level'
import type { View } from '@/lib/schema/view'
import { formatAgo } from '@/lib/time'

/** The protocol's state in three lines. */
export interface Summary {
  /** The strictest level in force. */
  level: Level
  /** What that means and where, in one sentence. */
  headline: string
  /** Why it holds. */
  why: string
  /** What waits for an agreed price; null when nothing does. */
  note: string | null
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`

/** What a level does to the things that it holds, for one and for several. */
const PREDICATES: Record<Level, [string, string]> = {
  0: ['is open', 'are open'],
  1: ['runs at reduced limits', 'run at reduced limits'],
  2: ['only lets risk fall', 'only let risk fall'],
  3: ['is halted', 'are halted'],
  4: ['is winding down', 'are winding down'],
}

function headlineOf(view: View, level: Level): string {
  const [one, several] = PREDICATES[level]
  if (view.vaults.length === 0) return 'No vaults yet'
  const vaults = view.vaults.filter((vault) => vault.level === level).map(({ name }) => name)
  if (vaults.length === view.vaults.length && vaults.length > 1) return `All vaults ${several}`
  if (vaults.length > 0) return `${listed(vaults)} ${vaults.length === 1 ? one : several}`
  const assets = view.assets.filter((asset) => asset.level === level).map(({ symbol }) => symbol)
  return `${listed(assets)} ${assets.length === 1 ? one : several}`
}

/** Returns the cause behind the strictest level; null where there is none. */
export function mainCause(view: View, level: Level): HeldCause | null {
  return level === 0 ? null : (allCauses(view).find((held) => held.level === level) ?? null)
}

function whyOf(view: View, level: Level, nowTs: number): string {
  const cause = mainCause(view, level)
  if (cause !== null) {
    const proof = `${cause.rule_name} was proved true ${formatAgo(cause.tripped_at_ts, nowTs)} on ${cause.scope}.`
    return cause.is_new_risk_only ? `${proof} It restricts new risk; exits stay as they are.` : proof
  }
  if (level > 0) return 'The keeper lists no cause for it.'
  if (view.vaults.length === 0) return 'Prices, limits and positions show here once a vault is open.'
  return view.keeper === null ? 'No cause is in force. Whether the sources of prices agree isn’t judged here.' : levelText(0).meaning
}

/** Returns the names of the assets without an agreed price. */
function priceless(view: View): string[] {
  return view.assets.filter(({ price }) => price.state === 'indeterminate').map(({ symbol }) => symbol)
}

function waitingOn(view: View): string {
  const vaults = view.vaults.filter(({ price }) => price.state === 'indeterminate').map(({ name }) => name)
  return vaults.length === 0
    ? 'No vault depends on it.'
    : `Borrowing and liquidation wait on ${listed(vaults)}. Exits, repaying and adding collateral go on.`
}

/** Returns a view's summary. A price that isn't agreed outranks a normal level: unknown is never fine. */
export function summarise(view: View, nowTs: number): Summary {
  const level = strictest([view.guard.level, ...view.assets.map((a) => a.level), ...view.vaults.map((v) => v.level)])
  const names = priceless(view)
  const unknown = `No agreed price for ${listed(names)}`
  if (level === 0 && names.length > 0) return { level, headline: unknown, why: waitingOn(view), note: unknown }
  const note = names.length === 0 ? null : `${unknown}. ${waitingOn(view)}`
  return { level, headline: headlineOf(view, level), why: whyOf(view, level, nowTs), note }
}
