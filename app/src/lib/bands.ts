import type { Anchor, Asset as AssetAccount } from '@/generated'
import { u128 } from '@/lib/accounts'
import { decimalOf } from '@/lib/chain/oracle'
import type { Asset, Rule } from '@/lib/schema/view'

/** A price at which a rule becomes true, or what it is compared with. */
export interface Band {
  key: string
  name: string
  /** Decimal, USD. */
  price: string
  kind: 'price' | 'edge' | 'anchor' | 'rule'
}

/** Multiplies a decimal by (10,000 + bps) / 10,000, with nine digits after the point. */
export function movedBy(price: string, bps: bigint): string {
  const [whole = '0', fraction = ''] = price.split('.')
  const scaled = BigInt(whole + fraction.padEnd(9, '0').slice(0, 9))
  const moved = (scaled * (10_000n + bps)) / 10_000n
  const size = moved < 0n ? 0n : moved
  return `${size / 1_000_000_000n}.${(size % 1_000_000_000n).toString().padStart(9, '0')}`
}

/** Metrics that hold the price against another one, on both sides of it or below it alone. */
const BOTH_SIDES: readonly string[] = ['deviation_from_reference', 'peg_deviation']

/** Where the rule becomes true, by what its own measure is compared with: its window, its span, the reference that it holds. */
function ofRule(rule: Rule, asset: Asset): Band[] {
  const { compared_price: compared } = rule
  if (rule.subject !== asset.address || !rule.is_enabled || compared === null) return []
  const band = (suffix: string, price: string): Band => ({ key: `${rule.address}${suffix}`, name: `${rule.name}${suffix}`, price, kind: 'rule' })
  if (rule.metric === 'drawdown') return [band('', movedBy(compared, -rule.threshold))]
  if (!BOTH_SIDES.includes(rule.metric)) return []
  return [band(', above', movedBy(compared, rule.threshold)), band(', below', movedBy(compared, -rule.threshold))]
}

/** Half-lives of an asset's anchors, with their names. Source: `ANCHOR_SECS`. */
const ANCHORS = [
  { name: 'Anchor of 4 hours', secs: 14_400n },
  { name: 'Anchor of a day', secs: 86_400n },
] as const
const Q64 = 1n << 64n

function anchorOf({ priceQ64, weighedSecs }: Anchor, at: number): Band[] {
  const known = ANCHORS[at]
  if (known === undefined || weighedSecs <= 0n) return []
  // An anchor counts once its observations stand for its half-life.
  const name = weighedSecs >= known.secs ? known.name : `${known.name}, warming up`
  return [{ key: known.name, name, kind: 'anchor', price: decimalOf((u128(priceQ64) * 10n ** 18n) / Q64, -18) }]
}

/**
 * Returns an asset's price with its ends, what it is compared with, and where its rules become true; highest first.
 *
 * The slow anchors are in the asset's account alone: without it they are left out.
 */
export function bandsOf(asset: Asset, rules: readonly Rule[], account?: Pick<AssetAccount, 'anchors'>): Band[] {
  const { price, reference, window_high } = asset
  const isAgreed = price.state === 'agreed'
  const isKnown = price.state !== 'indeterminate'
  const known = (name: string, kind: Band['kind'], value: string | null): Band[] => (value === null ? [] : [{ key: name, name, kind, price: value }])
  const bands = [
    ...known('High end of the price', 'edge', isAgreed ? price.hi : null),
    ...known(isAgreed ? 'Price' : 'Last recorded price', 'price', isKnown ? price.mid : null),
    ...known('Low end of the price', 'edge', isAgreed ? price.lo : null),
    ...known(reference.is_warm ? 'Reference' : 'Reference, warming up', 'anchor', reference.price),
    ...known('High of all that is remembered', 'anchor', window_high),
    ...(account?.anchors.flatMap(anchorOf) ?? []),
    ...rules.flatMap((rule) => ofRule(rule, asset)),
  ]
  return bands.sort((a, b) => Number(b.price) - Number(a.price))
}
