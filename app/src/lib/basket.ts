import type { Reserve } from '@/generated'
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
  /** Wanted share at the guard's level, bps. */
  targetBps: number
  /** Paid for bad debt so far, base units. */
  covered: bigint
  isQuote: boolean
}

function valueOf(amount: bigint, decimals: number, price: string | null): bigint | null {
  if (price === null) return null
  const [whole = '0', fraction = ''] = price.split('.')
  return (amount * BigInt(whole + fraction) * 1_000_000n) / 10n ** BigInt(decimals + fraction.length)
}

/** Returns the reserve's basket: what it holds, and what it should hold at the guard's level. */
export function basketOf(reserve: Reserve, view: View): Slice[] {
  const level = Math.min(view.guard.level, 3)
  const slices = reserve.assets.slice(0, reserve.plan.count).map((held, index) => {
    const asset = view.assets.find(({ address }) => address === (held.asset as string))
    const mid = asset === undefined || asset.price.state === 'indeterminate' ? null : asset.price.mid
    return {
      asset: held.asset,
      symbol: asset?.symbol ?? 'tokens',
      decimals: held.decimals,
      amount: held.accountedAmount,
      microUsd: valueOf(held.accountedAmount, held.decimals, mid),
      targetBps: reserve.plan.weightsBps[index]?.[level] ?? 0,
      covered: held.coveredAmount,
      isQuote: index === reserve.plan.quote,
    }
  })
  const isWhole = slices.every(({ microUsd }) => microUsd !== null)
  const total = slices.reduce((sum, { microUsd }) => sum + (microUsd ?? 0n), 0n)
  return slices.map((slice) => ({ ...slice, shareBps: isWhole && total > 0n && slice.microUsd !== null ? Number((slice.microUsd * 10_000n) / total) : null }))
}

/** Returns half of the sum of the gaps to the targets, bps: what would have to be swapped; null without all prices. */
export function driftBps(slices: readonly Slice[]): number | null {
  const gaps = slices.map(({ shareBps, targetBps }) => (shareBps === null ? null : Math.abs(shareBps - targetBps)))
  return gaps.includes(null) ? null : Math.round(gaps.reduce<number>((sum, gap) => sum + (gap ?? 0), 0) / 2)
}
