import { describe, expect, it } from 'vitest'
import { parse } from '@/lib/parse'
import { HistoryPage } from '@/lib/schema/kept'
import { pointsOf, priceAtThreshold, sampledOf, tried } from '@/lib/whatif'

/** Samples as the keeper sends them, newest first, a minute apart. */
const rows = (prices: readonly (string | null)[]) =>
  parse(HistoryPage, { items: prices.map((price, at) => ({ id: at, at_ms: at * 60_000, slot: at, price, reference: '100' })).reverse(), next: null }).items

const drawdown = { metric: 'drawdown', window_secs: 180 }
const values = (rule: typeof drawdown, prices: readonly (string | null)[]) => pointsOf(rule, rows(prices)).map(({ value }) => Number(value))

describe('pointsOf', () => {
  it('measures a fall from the high of the window, and forgets a high that has left it', () => {
    expect(values(drawdown, ['100', '90', '90', '90', '90'])).toEqual([0, 1_000, 1_000, 0, 0])
  })
  it('measures a gap to either side, rounded down, and leaves out what has no price', () => {
    expect(values({ ...drawdown, metric: 'deviation_from_reference' }, ['101.999', null, '98'])).toEqual([199, 200])
  })
  it('measures against the dollar where the peg is meant', () => {
    expect(values({ ...drawdown, metric: 'peg_deviation' }, ['0.97'])).toEqual([300])
  })
  it('says nothing of a metric that samples don’t tell', () => {
    expect(values({ ...drawdown, metric: 'oracle_age' }, ['1'])).toEqual([])
  })
})

describe('tried', () => {
  const points = [0, 500, 1_200, 900, 1_300, 300, 1_100, 200].map((value, at) => ({ ts: at * 60, value: BigInt(value) }))
  it('counts one trip for a stretch that hasn’t been clear in between', () => {
    const result = tried(points, 1_000n, 400n, 0)
    expect(result?.episodes).toEqual([
      { fromTs: 120, toTs: 300, worst: 1_300n },
      { fromTs: 360, toTs: 420, worst: 1_100n },
    ])
  })
  it('counts two where the clear threshold is nearer', () => {
    expect(tried(points, 1_000n, 950n, 0)?.episodes.length).toBe(3)
  })
  it('counts stretches that were too short apart', () => {
    const result = tried(points, 1_000n, 400n, 120)
    expect([result?.episodes.length, result?.short]).toEqual([1, 1])
  })
  it('keeps a stretch that lasts until now, tells the widest gap, and what the worst was', () => {
    const late = [{ ts: 0, value: 0n }, { ts: 600, value: 2_000n }]
    expect(tried(late, 1_000n, 500n, 0)).toMatchObject({ samples: 2, widestGap: 600, worst: 2_000n, episodes: [{ fromTs: 600, toTs: 600 }] })
  })
  it('is nothing without samples', () => {
    expect(tried([], 1n, 0n, 0)).toBeNull()
  })
})

it('tells the price at which a fall or a gap would reach a threshold', () => {
  // of the rule's own window, not of all that is remembered
  expect(priceAtThreshold({ metric: 'drawdown', compared_price: '150.25' }, 1_000n)).toBe('135.225000000')
  expect(priceAtThreshold({ metric: 'drawdown', compared_price: null }, 1_000n)).toBeNull()
  expect(priceAtThreshold({ metric: 'oracle_age', compared_price: '1' }, 1_000n)).toBeNull()
})

it('reads a rule’s own samples where its subject’s don’t tell, such as those of a slow reference', () => {
  const gap = (reference_span: 'short' | 'four_hours' | 'day' | null) => sampledOf({ address: 'R', subject: 'S', metric: 'deviation_from_reference', reference_span })
  expect([gap('short'), gap('four_hours'), gap('day')]).toEqual(['S', 'R', 'R'])
  expect(sampledOf({ address: 'R', subject: 'S', metric: 'oracle_age', reference_span: null })).toBe('R')
})

it('takes what a rule measured as it is, and leaves out when it measured nothing', () => {
  const items = ['7', null, '30'].map((value, at) => ({ id: at, at_ms: at * 60_000, slot: at, kind: 'rule', value }))
  const points = pointsOf({ metric: 'oracle_age', window_secs: 0 }, parse(HistoryPage, { items, next: null }).items)
  expect(points).toEqual([{ ts: 0, value: 7n }, { ts: 120, value: 30n }])
})

it('counts what lies at a threshold or below it where a rule is true there', () => {
  const points = [15_000, 11_000, 10_500, 13_000].map((value, at) => ({ ts: at * 60, value: BigInt(value) }))
  expect(tried(points, 11_000n, 12_000n, 0, 'below')).toMatchObject({ worst: 10_500n, episodes: [{ fromTs: 60, toTs: 180, worst: 10_500n }] })
  expect(tried(points, 10_000n, 11_000n, 0, 'below')?.episodes).toEqual([])
})
