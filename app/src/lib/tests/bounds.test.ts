import { describe, expect, it } from 'vitest'
import type { Guard, HardBounds } from '@/generated'
import { HOLDS, type Hold, roomOf } from '@/lib/bounds'
import type { Targets } from '@/lib/change'
import { fieldsOf, obstacleOf } from '@/lib/propose'
import { empty, keyOf } from '@/testing/accounts'

const zero = empty.guard()
const bounds: HardBounds = { ...zero.bounds, maxOracleAgeSecs: 1, maxRuleDurationSecs: 2, minLoosenDelaySecs: 3, minWarmUpSecs: 4, maxConfidenceBps: 5, maxHourlyOutflowBps: 6, maxDailyOutflowBps: 7, minExitFloorBps: 8, maxLtvBps: 9, maxBonusBps: 10, maxSlippageBps: 11, maxSwapLossBps: 1_200, maxEffectBps: 5_000, maxTightenStepBps: 5_000 }
const guard = empty.guard({ bounds })
const [asset, policy] = [empty.asset(), empty.policy()]
const used = { ...asset.oracle, count: 1, sources: asset.oracle.sources.map((source) => ({ ...source, kind: 1 })) }
const targets: Targets = {
  guards: [{ address: keyOf(1), value: guard }],
  vaults: [{ address: keyOf(2), value: empty.vault() }],
  rules: [{ address: keyOf(3), value: empty.rule() }],
  assets: [{ address: keyOf(4), value: empty.asset({ oracle: used, standby: { ...asset.standby, count: 1 } }) }],
  policies: [{ address: keyOf(5), value: empty.policy({ params: { ...policy.params, maxDayMicroUsd: 1_000n } }) }],
  reserves: [],
  aggregates: [],
  integrations: [],
}
const TARGET: Record<number, number> = { 1: 2, 2: 2, 3: 2, 4: 3, 5: 4, 8: 1, 11: 4, 12: 4, 15: 5 }
const fields = (group: number, own: Guard = guard, next?: Map<string, bigint>) => fieldsOf({ group, target: keyOf(TARGET[group] ?? 0), name: '' }, targets, own, {}, next)
const place = (group: number, path: string[]) => ({ group, path, value: undefined, size: (1n << 64n) - 1n })

describe('every bound of a guard', () => {
  const names = Object.keys(zero.bounds).filter((name) => name !== 'reserved') as (keyof typeof HOLDS)[]
  it('is held by fields, or counts elsewhere', () => {
    expect(Object.keys(HOLDS).toSorted()).toEqual(names.toSorted())
  })
  it.each(names.flatMap((name) => (typeof HOLDS[name] === 'string' ? [] : [[name, HOLDS[name]] as [keyof typeof HOLDS, Hold]])))('%s holds each of its fields to its very number', (name, { groups, names: fieldNames, side, shareOf }) => {
    const held = groups.flatMap((group) => fields(group).filter(({ path, fixed }) => fixed === null && fieldNames.test(path.join('.'))))
    expect(held.length).toBeGreaterThanOrEqual(groups.length)
    const most = shareOf === undefined ? BigInt(bounds[name]) : (1_000n * BigInt(bounds[name])) / 10_000n
    // a share of what is, where the effect of the change is tried, may be nearer still: of nothing, only nothing
    for (const { path, now, bounds: found } of held) {
      if (found.why === 'how far one change may move it') expect(now).toBe(0n)
      else expect([path.join('.'), found[side], found.why]).toEqual([path.join('.'), most, 'a hard bound of the guard'])
    }
  })
  it('is the one of its own number: no field is held by another', () => {
    const seen = new Set([1, 2, 4, 5, 8, 11, 12, 15].flatMap((group) => fields(group).filter(({ bounds: { why } }) => why === 'a hard bound of the guard').map(({ path }) => `${group} ${path.join('.')}`)))
    expect([...seen].filter((name) => /inflow|^6 |^15 maxOracleAge/.test(name))).toEqual([])
  })
})

it('holds the loss of a swap policy to its share of the day that is typed', () => {
  const lossOf = (next?: Map<string, bigint>) => fields(15, guard, next).find(({ path }) => path[0] === 'lossDayMicroUsd')?.bounds
  expect(lossOf()).toEqual({ min: 0n, max: 120n, why: 'a hard bound of the guard' })
  expect(lossOf(new Map([['maxDayMicroUsd', 2_000n]]))?.max).toBe(240n)
})

it.each<[number, string, bigint]>([
  [8, 'delaySecs', 2_592_000n],
  [11, 'warmUpSecs', 7_776_000n],
  [15, 'maxOracleAgeSecs', 30n],
  [3, 'maxRateBps', 100_000n],
])('holds group %i, %s to the bound of the program', (group, name, max) => {
  expect(fields(group).find(({ path }) => path.join('.') === name)?.bounds.max).toBe(max)
})

describe('room', () => {
  const wide = empty.guard({ bounds: { ...bounds, maxLtvBps: 9_000, minExitFloorBps: 50, maxHourlyOutflowBps: 3_000, maxEffectBps: 2_500 } })
  it('is how far one change may move a limit, within the hard bounds', () => {
    expect(roomOf(place(2, ['exitFloorBps']), 100n, wide).any).toEqual({ min: 75n, max: 125n, why: 'how far one change may move it' })
    expect(roomOf(place(2, ['exitFloorBps']), 60n, wide).any).toMatchObject({ min: 50n, max: 75n })
    expect(roomOf(place(1, ['ltvBps']), 8_000n, wide).any).toMatchObject({ max: 9_000n })
  })
  it('falls further at once than by a change that waits', () => {
    const { any, proposed } = roomOf(place(1, ['ltvBps']), 8_000n, wide)
    expect([any.min, proposed.min]).toEqual([4_000n, 6_000n])
    expect(roomOf(place(1, ['targetLtvBps']), 8_000n, wide).any.min).toBe(6_000n)
  })
  it('leaves caps free', () => {
    expect(roomOf(place(2, ['supplyCapAmount']), 50n, wide).any.max).toBe((1n << 64n) - 1n)
  })
  it('is a reason to refuse a proposal that goes beyond its own', () => {
    const known: Targets = { ...targets, vaults: [{ address: keyOf(2), value: empty.vault({ risk: { ...empty.vault().risk, ltvBps: 8_000 } }) }] }
    const subject = { group: 1, target: keyOf(2) as string, name: '' }
    const all = fieldsOf(subject, known, wide, {})
    const refusal = (to: bigint) => obstacleOf({ subject, next: new Map([['ltvBps', to]]) }, wide, [{ path: ['ltvBps'], from: 8_000n, to }], all)
    expect(refusal(5_000n)).toEqual({ why: 'LTV: further than one change may move it. Tighten it at once by itself, or move it in several steps.', command: null })
    expect(refusal(6_000n)).toBeNull()
  })
})
