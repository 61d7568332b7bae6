import { describe, expect, it } from 'vitest'
import { parse } from '@/lib/parse'
import { HistoryPage } from '@/lib/schema/kept'
import { countsAt, isFresh, mediansOf, mediansOver, membersOf, quorumOf } from '@/lib/score'
import { empty, keyOf } from '@/testing/accounts'
import { NOW } from '@/testing/sample'

const blank = empty.keeperSet()
const member = (number: number, role = 1) => ({ ...(blank.members[0] as NonNullable<(typeof blank.members)[0]>), key: keyOf(number), role, activeFromTs: BigInt(NOW - 10) })
const set = (count: number) => ({ ...blank, epoch: 2n, count, maxAgeSecs: 600, maxSpreadBps: 2_000, members: blank.members.map((_, at) => member(at + 1)) })
const subject = keyOf(200)
const report = (keeper: number, scoreBps: number, change = {}) => {
  const value = empty.report({ keeper: keyOf(keeper), subject, setEpoch: 2n, observedAtTs: BigInt(NOW - 20), ...change })
  return { address: keyOf(100 + keeper), value: { ...value, parts: { ...value.parts, scoreBps, liquidityBps: scoreBps } } }
}

it.each([[1, 3], [3, 3], [4, 3], [5, 4], [6, 5], [15, 11]])('asks of %i reporters for %i', (reporters, quorum) => {
  expect(quorumOf(reporters)).toBe(quorum)
})

it('counts members that are in use, report, and have joined', () => {
  expect(membersOf(set(4)).length).toBe(4)
  expect(countsAt(member(1, 2), NOW)).toBe(false)
  expect(countsAt(member(1), NOW - 11)).toBe(false)
})

it('takes a report of this epoch that isn’t too old', () => {
  expect(isFresh(set(3), report(1, 1).value, NOW)).toBe(true)
  expect(isFresh(set(3), report(1, 1, { observedAtTs: BigInt(NOW - 601) }).value, NOW)).toBe(false)
  expect(isFresh(set(3), report(1, 1, { setEpoch: 1n }).value, NOW)).toBe(false)
})

describe('mediansOf', () => {
  it('is unknown without a quorum', () => {
    const [median] = mediansOf(set(3), [report(1, 5_000), report(2, 5_100)], NOW)
    expect([median?.fresh, median?.parts.scoreBps, median?.spreadBps]).toEqual([2, null, null])
  })
  it('is the middle one of three', () => {
    const [median] = mediansOf(set(3), [report(1, 5_000), report(2, 6_000), report(3, 5_500)], NOW)
    expect([median?.parts.scoreBps, median?.spreadBps]).toEqual([5_500, 1_000])
  })
  it('is of four the one further from danger: the lower score, the higher liquidity', () => {
    const [median] = mediansOf(set(4), [report(1, 5_000), report(2, 5_200), report(3, 5_400), report(4, 5_600)], NOW)
    expect([median?.parts.scoreBps, median?.parts.liquidityBps]).toEqual([5_200, 5_400])
  })
  it('is unknown where the reports are no one opinion', () => {
    const [median] = mediansOf(set(3), [report(1, 1_000), report(2, 6_000), report(3, 9_000)], NOW)
    expect([median?.parts.scoreBps, median?.spreadBps]).toEqual([null, 8_000])
  })
  it('passes over a report of somebody who is no member', () => {
    const [median] = mediansOf(set(3), [report(1, 1), report(2, 1), report(90, 1)], NOW)
    expect(median?.fresh).toBe(2)
  })
})

describe('mediansOver', () => {
  const row = (id: number, keeper: number, at: number, score_bps: number) => ({ id, at_ms: (NOW + at) * 1_000, slot: 9, reporter: keyOf(keeper), subject, observed_at_ts: NOW + at, score_bps, volatility_bps: 1, liquidity_bps: score_bps, correlation_bps: 1, anomaly_bps: 1, system_health_bps: 1 })
  const over = (rows: object[]) => mediansOver(set(4), parse(HistoryPage, { items: rows.toReversed(), next: null }).items).get(subject)?.map(({ ts, parts }) => [ts - NOW, parts.scoreBps, parts.liquidityBps])
  it('is known from the report on that makes a quorum, and moves with each newer one', () => {
    expect(over([row(1, 1, 0, 5_000), row(2, 2, 10, 5_200), row(3, 3, 20, 5_400), row(4, 1, 30, 5_800)])).toEqual([
      [0, null, null],
      [10, null, null],
      [20, 5_200, 5_200],
      [30, 5_400, 5_400],
    ])
  })
  it('takes of an even number the one further from danger', () => {
    expect(over([row(1, 1, 0, 1_000), row(2, 2, 0, 1_100), row(3, 3, 0, 1_200), row(4, 4, 0, 1_300)])?.at(-1)).toEqual([0, 1_100, 1_200])
  })
  it('forgets what is too old, breaks where they disagree, and counts no stranger', () => {
    const three = [row(1, 1, 0, 1_000), row(2, 2, 0, 1_000), row(3, 3, 0, 1_000)]
    expect(over([...three, row(4, 1, 601, 1_000)])?.at(-1)).toEqual([601, null, null])
    expect(over([...three, row(4, 2, 10, 9_000)])?.at(-1)).toEqual([10, null, null])
    expect(over([row(1, 1, 0, 1_000), row(2, 2, 0, 1_000), row(3, 77, 0, 1_000)])?.at(-1)).toEqual([0, null, null])
  })
})
