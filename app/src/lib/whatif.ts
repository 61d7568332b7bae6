import { movedBy } from '@/lib/bands'
import type { Kept } from '@/lib/schema/kept'
import type { Rule } from '@/lib/schema/view'

/** A stretch of kept samples in which a rule would have been true. */
export interface Episode {
  /** First sample at the threshold, unix seconds. */
  fromTs: number
  /** When it was seen clear again; the last sample where it wasn't yet. */
  toTs: number
  /** The value in it that was furthest beyond the threshold. */
  worst: bigint
}

/** How often a threshold would have tripped. */
export interface WhatIf {
  /** Trips: stretches that lasted as long as the rule asks for. */
  episodes: Episode[]
  /** Stretches that ended sooner. */
  short: number
  /** Samples with a value. */
  samples: number
  /** First and last of them, unix seconds. */
  fromTs: number
  toTs: number
  /** Widest gap between two of them, seconds: what lies in it wasn't seen. */
  widestGap: number
  /** The furthest value of all: the largest, or the smallest where a rule is true below its threshold. */
  worst: bigint
}

/** A value of a rule at a moment. */
export interface Point {
  ts: number
  value: bigint
}

const PLACES = 9
const scaled = (price: string): bigint => {
  const [whole = '0', fraction = ''] = price.split('.')
  return BigInt(whole + fraction.padEnd(PLACES, '0').slice(0, PLACES))
}

/** Metrics whose value follows from samples of their subject. */
const DERIVED: readonly string[] = ['drawdown', 'deviation_from_reference', 'peg_deviation', 'utilisation']

/**
 * Returns whose kept samples tell a rule's values: its subject's where they follow from those, which reach back to before the
 * rule was made; else its own, what it measured once a minute. Of the references a subject's samples hold the short one alone.
 */
export function sampledOf({ address, subject, metric, reference_span }: Pick<Rule, 'address' | 'subject' | 'metric' | 'reference_span'>): string {
  const isSlow = reference_span !== null && reference_span !== 'short'
  return DERIVED.includes(metric) && !isSlow ? subject : address
}

/** Returns the values of a rule over kept samples, oldest first; nothing for a metric that samples don't tell. */
export function pointsOf(rule: Pick<Rule, 'metric' | 'window_secs'>, rows: readonly Kept[]): Point[] {
  const samples = rows.map((row) => ({ ...row, ts: Math.floor(row.at_ms / 1_000) })).sort((a, b) => a.ts - b.ts)
  if (samples.some(({ kind }) => kind === 'rule')) return samples.flatMap(({ ts, value }) => (value === null ? [] : [{ ts, value: BigInt(value) }]))
  if (rule.metric === 'utilisation') return samples.flatMap(({ ts, utilisation_bps }) => (utilisation_bps === null ? [] : [{ ts, value: BigInt(utilisation_bps) }]))
  const priced = samples.flatMap(({ ts, price, reference }) => (price === null ? [] : [{ ts, price: scaled(price), reference: reference === null ? null : scaled(reference) }]))
  const share = (part: bigint, whole: bigint) => (whole <= 0n ? 0n : (part * 10_000n) / whole)
  if (rule.metric === 'drawdown') {
    return priced.map(({ ts, price }, at) => {
      let high = price
      for (let back = at; back >= 0; back -= 1) {
        const before = priced[back]
        if (before === undefined || before.ts <= ts - rule.window_secs) break
        if (before.price > high) high = before.price
      }
      return { ts, value: share(high - price, high) }
    })
  }
  const against = rule.metric === 'peg_deviation' ? 10n ** BigInt(PLACES) : null
  if (rule.metric !== 'deviation_from_reference' && against === null) return []
  return priced.flatMap(({ ts, price, reference }) => {
    const base = against ?? reference
    if (base === null) return []
    return [{ ts, value: share(price > base ? price - base : base - price, base) }]
  })
}

/**
 * Returns how often a threshold would have tripped.
 *
 * A stretch starts where a value reaches the threshold and ends where one is back at the clear threshold, as a rule's does.
 * It trips where that lasted `persistSecs` or longer: what lay between two samples is taken as the first of them.
 */
export function tried(points: readonly Point[], threshold: bigint, clear: bigint, persistSecs: number, comparator: Rule['comparator'] = 'above'): WhatIf | null {
  if (comparator === 'below') {
    // the same, upside down
    const flipped = tried(points.map(({ ts, value }) => ({ ts, value: -value })), -threshold, -clear, persistSecs)
    return flipped && { ...flipped, worst: -flipped.worst, episodes: flipped.episodes.map((one) => ({ ...one, worst: -one.worst })) }
  }
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return null
  const all: Episode[] = []
  let open: Episode | null = null
  let [widestGap, worst, before] = [0, first.value, first.ts]
  for (const { ts, value } of points) {
    widestGap = Math.max(widestGap, ts - before)
    before = ts
    if (value > worst) worst = value
    if (open !== null && value > clear) {
      open.toTs = ts
      if (value > open.worst) open.worst = value
    } else if (open !== null) {
      all.push({ ...open, toTs: ts })
      open = null
    } else if (value >= threshold) open = { fromTs: ts, toTs: ts, worst: value }
  }
  if (open !== null) all.push(open)
  const episodes = all.filter(({ fromTs, toTs }) => toTs - fromTs >= persistSecs)
  return { episodes, short: all.length - episodes.length, samples: points.length, fromTs: first.ts, toTs: last.ts, widestGap, worst }
}

/** Returns the price at which a drawdown or a gap would reach a threshold now, going down; null where nothing is known to compare with. */
export function priceAtThreshold({ metric, compared_price }: Pick<Rule, 'metric' | 'compared_price'>, threshold: bigint): string | null {
  const isPriced = metric === 'drawdown' || metric === 'deviation_from_reference' || metric === 'peg_deviation'
  return isPriced && compared_price !== null ? movedBy(compared_price, -threshold) : null
}
