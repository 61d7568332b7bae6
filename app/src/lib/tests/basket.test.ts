import { describe, expect, it } from 'vitest'
import type { Address } from '@solana/kit'
import { basketOf, driftBps } from '@/lib/basket'
import { lastDay } from '@/lib/chain/flow'
import { empty } from '@/testing/accounts'
import { intoIndeterminate, sampleView } from '@/testing/sample'

const blank = empty.reserve()
const reserve = {
  ...blank,
  assets: blank.assets.map((held, at) => ({ ...held, asset: ['Sol', 'Usdc'][at] as Address, decimals: at === 0 ? 9 : 6, accountedAmount: at === 0 ? 2_000_000_000n : 100_000_000n })),
  plan: { ...blank.plan, count: 2, quote: 1, weightsBps: blank.plan.weightsBps.map((_, at) => (at === 0 ? [5_000, 3_000, 1_000, 0] : [5_000, 7_000, 9_000, 10_000])) },
}

describe('basketOf', () => {
  it('values what is held at the agreed prices, in whole numbers', () => {
    const slices = basketOf(reserve, sampleView())
    // 2 SOL at 150.25 and 100 USDC at 0.9999
    expect(slices.map(({ microUsd }) => microUsd)).toEqual([300_500_000n, 99_990_000n])
    expect(slices.map(({ shareBps }) => shareBps)).toEqual([7_503, 2_496])
    expect(slices.map(({ targetBps, isQuote }) => [targetBps, isQuote])).toEqual([[5_000, false], [5_000, true]])
    expect(driftBps(slices)).toBe(2_504)
  })
  it('takes the weights of the guard’s level, and of Halt beyond it', () => {
    const targets = (level: number) => basketOf(reserve, sampleView((raw) => Object.assign(raw.guard, { level }))).map(({ targetBps }) => targetBps)
    expect([targets(2), targets(3), targets(4)]).toEqual([[1_000, 9_000], [0, 10_000], [0, 10_000]])
  })
  it('tells no share while one price is unknown', () => {
    const slices = basketOf(reserve, sampleView(intoIndeterminate))
    expect(slices.map(({ microUsd, shareBps }) => [microUsd, shareBps])).toEqual([[null, null], [99_990_000n, null]])
    expect(driftBps(slices)).toBeNull()
  })
})

it('drops from a ring of hours what is older than a day', () => {
  const cells = Array.from({ length: 25 }, (_, at) => BigInt(at + 1))
  const ring = { cells, newestHour: 100n }
  const all = 25n * 13n
  expect(lastDay(ring, 100 * 3_600)).toBe(all)
  // the cell of hour 101 is the oldest one's place
  expect(lastDay(ring, 101 * 3_600)).toBe(all - (cells[1] ?? 0n))
  expect(lastDay(ring, 125 * 3_600)).toBe(0n)
})
