import { describe, expect, it } from 'vitest'
import type { Address } from '@solana/kit'
import { basketOf, driftBps, goalOf } from '@/lib/basket'
import { lastDay } from '@/lib/chain/flow'
import { empty } from '@/testing/accounts'
import { intoHalt, intoIndeterminate, type rawView, sampleView } from '@/testing/sample'

const blank = empty.reserve()
/** What the keeper tells of the reserve, computed by the program's code. */
const told = (change: object = {}) => ({ address: 'Reserve1', scored_asset: 'Sol', level: 0, level_name: 'Normal', score_bps: 5_000, state: 'followed', targets_bps: [4_000, 6_000], ...change })
const viewWith = (goal: object | null, change: (raw: ReturnType<typeof rawView>) => void = () => undefined) =>
  sampleView((raw) => {
    change(raw)
    Object.assign(raw, { reserve: goal })
  })
const reserve = {
  ...blank,
  assets: blank.assets.map((held, at) => ({ ...held, asset: ['Sol', 'Usdc'][at] as Address, decimals: at === 0 ? 9 : 6, accountedAmount: at === 0 ? 2_000_000_000n : 100_000_000n })),
  plan: { ...blank.plan, count: 2, quote: 1, weightsBps: blank.plan.weightsBps.map((_, at) => (at === 0 ? [5_000, 3_000, 1_000, 0] : [5_000, 7_000, 9_000, 10_000])) },
}

describe('basketOf', () => {
  it('values what is held at the agreed prices, in whole numbers', () => {
    const slices = basketOf(reserve, viewWith(told()))
    // 2 SOL at 150.25 and 100 USDC at 0.9999
    expect(slices.map(({ microUsd }) => microUsd)).toEqual([300_500_000n, 99_990_000n])
    expect(slices.map(({ shareBps }) => shareBps)).toEqual([7_503, 2_496])
    expect(slices.map(({ targetBps, isQuote }) => [targetBps, isQuote])).toEqual([[4_000, false], [6_000, true]])
    // both gaps, as the program adds them up
    expect(driftBps(slices)).toBe(3_503 + 3_504)
  })
  it('has no targets, and no drift, while the basket is held or nobody tells', () => {
    for (const goal of [told({ state: 'held', score_bps: null, targets_bps: [] }), null]) {
      const slices = basketOf(reserve, viewWith(goal))
      expect(slices.map(({ targetBps }) => targetBps)).toEqual([null, null])
      expect(driftBps(slices)).toBeNull()
    }
  })
  it('tells no share while one price is unknown', () => {
    const slices = basketOf(reserve, viewWith(told(), intoIndeterminate))
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

describe('goalOf', () => {
  it('is what the keeper tells', () => {
    expect(goalOf(reserve, viewWith(told()))).toEqual({ level: 0, scoreBps: 5_000, state: 'followed', scored: 'SOL' })
  })
  it('is the stricter level of the guard and of the scored asset without one, and nothing of the median', () => {
    expect(goalOf(reserve, viewWith(null, intoHalt))).toEqual({ level: 3, scoreBps: null, state: 'untold', scored: 'SOL' })
  })
})
