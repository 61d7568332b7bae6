import { expect, it } from 'vitest'
import { barsOf, positionOf, zoneOf } from '@/lib/histogram'
import { sampleView } from '@/testing/sample'

const lines = { ltv_bps: 6_500, soft_line_bps: 7_500, liquidation_line_bps: 8_200 }
const bins = sampleView().vaults[0]?.positions.histogram ?? []

it('puts a ratio at a line into the zone that begins there', () => {
  expect([6_499, 6_500, 7_500, 8_199, 8_200].map((bps) => zoneOf(bps, lines))).toEqual([
    'safe',
    'stretched',
    'soft',
    'soft',
    'liquidatable',
  ])
})

it('scales bars by the tallest and leaves the last one open', () => {
  const bars = barsOf(bins, lines)
  expect(bars.map(({ height }) => height)).toEqual([1, 2 / 6, 1 / 6])
  expect(bars.map(({ label }) => label)).toEqual(['0 % to 50 %', '50 % to 80 %', '80 % and more'])
})

it('draws no height when all bars are empty', () => {
  expect(barsOf(bins.map((bin) => ({ ...bin, count: 0 })), lines).map(({ height }) => height)).toEqual([0, 0, 0])
})

it('places ratios on bars of different span, and clamps', () => {
  expect(positionOf(0, bins)).toBe(0)
  expect(positionOf(2_500, bins)).toBeCloseTo(1 / 6)
  expect(positionOf(6_500, bins)).toBeCloseTo(0.5)
  expect(positionOf(9_000, bins)).toBeCloseTo(2.5 / 3)
  expect(positionOf(20_000, bins)).toBe(1)
  expect(positionOf(5_000, [])).toBe(0)
})
