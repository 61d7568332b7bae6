import { describe, expect, it } from 'vitest'
import { formatAmount, formatBps, formatCompact, formatCount, shareBps } from '@/lib/amount'

describe('formatAmount', () => {
  it('groups thousands and drops trailing zeros', () => {
    expect(formatAmount(1_234_567_500_000n, 6)).toBe('1,234,567.5')
    expect(formatAmount(1_000_000n, 6)).toBe('1')
    expect(formatAmount(0n, 9)).toBe('0')
  })
  it('rounds towards zero, so that it never shows more than there is', () => {
    expect(formatAmount(1_999_999n, 6)).toBe('1.99')
    expect(formatAmount(-1_999_999n, 6)).toBe('−1.99')
  })
  it('never shows something as nothing', () => {
    expect(formatAmount(1n, 6)).toBe('<0.01')
    expect(formatAmount(1n, 6, 0)).toBe('<1')
  })
  it('keeps every digit of an amount beyond 2^53', () => {
    expect(formatAmount(18_446_744_073_709_551_615n, 6, 6)).toBe('18,446,744,073,709.551615')
  })
  it('takes mints without decimals', () => {
    expect(formatAmount(1_500n, 0)).toBe('1,500')
  })
})

describe('formatCompact', () => {
  it.each([
    [950_000_000n, '950'],
    [9_999_000_000n, '9,999'],
    [12_300_000_000n, '12.3k'],
    [8_904_113_770_000n, '8.9M'],
    [8_914_113_770_000n, '8.91M'],
    [104_882_000_000_000n, '104M'],
    [18_446_744_073_709_551_615n, '18.4T'],
    [1_250_000n, '1.25'],
    [0n, '0'],
  ])('shows %s base units as %s', (amount, text) => {
    expect(formatCompact(amount, 6)).toBe(text)
  })
})

it('formats shares of 10,000 as percentages', () => {
  expect([formatBps(1_250), formatBps(100n), formatBps(1), formatBps(0)]).toEqual(['12.5 %', '1 %', '0.01 %', '0 %'])
})

it('takes an empty whole as nothing used', () => {
  expect([shareBps(1n, 0n), shareBps(1n, 3n), shareBps(5n, 4n)]).toEqual([0, 3_333, 12_500])
})

it('groups counts', () => {
  expect(formatCount(389_120_412)).toBe('389,120,412')
})
