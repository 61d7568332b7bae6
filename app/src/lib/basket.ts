import type { Reserve } from '@/generated'
import { LEVELS, type Level } from '@/lib/level'
import type { View } from '@/lib/schema/view'

/** One asset of the reserve. */
export interface Slice {
  asset: string
  symbol: string
  decimals: number
  amount: bigint
  /** Value, millionths of a US dollar; null without an agreed price. */
  microUsd: bigint | null
  /** Share of the basket, bps; null without all prices. */
  shareBps: number | null
  /** Wanted share, bps; null while the basket is held, or nobody tells. */
  targetBps: number | null
  /** Paid for bad debt so far, base units. */
  covered: bigint
  isQuote: boolean
}

function valueOf(amount: bigint, decimals: number, price: string | null): bigint | null {
  if (price === null) return null
  const [whole = '0', fraction = ''] = price.split('.')
  return (amount * BigInt(whole + fraction) * 1_000_000n) / 10n ** BigInt(decimals + fraction.length)
}

/** What leads the reserve's basket. */
export interface Goal {
  /** The stricter level of the guard and of the asset that the score is about. */
  level: Level
  /** The keepers' median score, bps; null where it isn't known, or nobody tells. */
  scoreBps: number | null
  /** As the keeper tells; `untold` without one: only the program's code knows whether the keepers' median counts. */
  state: 'followed' | 'to_quote' | 'held' | 'untold'
  /** Symbol of the asset that the score is about. */
  scored: string | null
}

/** Returns what leads the basket. Source: `Reading::aim` of the program, as the keeper runs it. */
export function goalOf(reserve: Reserve, view: View): Goal {
  const scored = view.assets.find(({ address }) => address === (reserve.assets[reserve.plan.scored]?.asset as string | undefined))
  const told = view.reserve
  const stricter = Math.max(view.guard.level, scored?.level ?? 0)
  return {
    level: told?.level ?? LEVELS.find((level) => level === stricter) ?? view.guard.level,
    scoreBps: told?.score_bps ?? null,
    state: told?.state ?? 'untold',
    scored: scored?.symbol ?? null,
  }
}

/** Returns the reserve's basket: what it holds, and what it should hold now. */
export function basketOf(reserve: Reserve, view: View): Slice[] {
  const slices = reserve.assets.slice(0, reserve.plan.count).map((held, index) => {
    const asset = view.assets.find(({ address }) => address === (held.asset as string))
    const mid = asset === undefined || asset.price.state === 'indeterminate' ? null : asset.price.mid
    return {
      asset: held.asset,
      symbol: asset?.symbol ?? 'tokens',
      decimals: held.decimals,
      amount: held.accountedAmount,
      microUsd: valueOf(held.accountedAmount, held.decimals, mid),
      targetBps: view.reserve?.targets_bps[index] ?? null,
      covered: held.coveredAmount,
      isQuote: index === reserve.plan.quote,
    }
  })
  const isWhole = slices.every(({ microUsd }) => microUsd !== null)
  const total = slices.reduce((sum, { microUsd }) => sum + (microUsd ?? 0n), 0n)
  return slices.map((slice) => ({ ...slice, shareBps: isWhole && total > 0n && slice.microUsd !== null ? Number((slice.microUsd * 10_000n) / total) : null }))
}

/** Returns the sum of the gaps to the targets, bps; null without all prices and targets. Source: `Basket::distance`. */
export function driftBps(slices: readonly Slice[]): number | null {
  const gaps = slices.map(({ shareBps, targetBps }) => (shareBps === null || targetBps === null ? null : Math.abs(shareBps - targetBps)))
  return gaps.includes(null) ? null : gaps.reduce<number>((sum, gap) => sum + (gap ?? 0), 0)
}
