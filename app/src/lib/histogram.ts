import { formatBps } from '@/lib/amount'
import type { Bin, Vault } from '@/lib/schema/view'

/** Which line a bar has passed. */
export type Zone = 'safe' | 'stretched' | 'soft' | 'liquidatable'

/** Zones in words. */
export const ZONE_TEXT: Record<Zone, string> = {
  safe: 'safe',
  stretched: 'no new debt',
  soft: 'soft',
  liquidatable: 'liquidatable',
}

/** One bar as drawn. */
export interface Bar extends Bin {
  /** Height, 0 to 1 of the tallest. */
  height: number
  /** The zone its lower end is in. */
  zone: Zone
  /** The span in words. */
  label: string
}

/** Returns the zone of a loan-to-value ratio. */
export function zoneOf(ltvBps: number, lines: Vault['lines']): Zone {
  if (ltvBps >= lines.liquidation_line_bps) return 'liquidatable'
  if (ltvBps >= lines.soft_line_bps) return 'soft'
  return ltvBps >= lines.ltv_bps ? 'stretched' : 'safe'
}

/** The last bin is open: it also holds everything beyond its upper end. */
function labelOf(bin: Bin, isLast: boolean): string {
  const from = formatBps(bin.ltv_from_bps)
  return isLast ? `${from} and more` : `${from} to ${formatBps(bin.ltv_to_bps)}`
}

/** Returns the bars of a histogram, with heights relative to the tallest. */
export function barsOf(bins: readonly Bin[], lines: Vault['lines']): Bar[] {
  const tallest = bins.reduce((most, { count }) => Math.max(most, count), 0)
  return bins.map((bin, index) => ({
    ...bin,
    height: tallest === 0 ? 0 : bin.count / tallest,
    zone: zoneOf(bin.ltv_from_bps, lines),
    label: labelOf(bin, index === bins.length - 1),
  }))
}

/**
 * Returns where a ratio lies on an axis of equally wide bars, 0 to 1.
 *
 * Straight within a bar, so bins may differ in span; clamped to the axis.
 */
export function positionOf(ltvBps: number, bins: readonly Bin[]): number {
  const index = bins.findIndex(({ ltv_to_bps }) => ltvBps < ltv_to_bps)
  const bin = bins[index]
  if (bin === undefined) return bins.length === 0 ? 0 : 1
  const inside = Math.max(0, ltvBps - bin.ltv_from_bps) / (bin.ltv_to_bps - bin.ltv_from_bps)
  return (index + inside) / bins.length
}
