import { expect, it } from 'vitest'
import { formatDecimal, formatGap, formatUsd, gapBps } from '@/lib/price'

it.each([
  ['64231.5', '64,232'],
  ['168.404999', '168.40'],
  ['168.405', '168.41'],
  ['9.99995', '10.0000'],
  ['0.99985', '0.9999'],
  ['0.000012345678', '0.00001235'],
  ['-3.5', '−3.5000'],
  ['0', '0.0000'],
  ['281474976710656', '281,474,976,710,656'],
])('shows %s as %s', (text, shown) => {
  expect(formatDecimal(text)).toBe(shown)
})

it('puts the currency before the digits', () => {
  expect(formatUsd('150.25')).toBe('$150.25')
})

it('tells a gap to a reference with its sign, and none without a reference', () => {
  expect([gapBps('90', '100'), gapBps('101', '100'), gapBps('1', '0')]).toEqual([-1_000, 100, null])
  expect([formatGap(-1_000), formatGap(100), formatGap(0)]).toEqual(['−10.00 %', '+1.00 %', '±0.00 %'])
})
