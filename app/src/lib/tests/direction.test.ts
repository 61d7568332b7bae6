import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CEILINGS, FLOORS, directionOf } from '@/lib/direction'
import { empty } from '@/testing/accounts'

const source = readFileSync('../programs/rampart/src/state/direction.rs', 'utf8')
const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** Fields of a struct that the program judges by a method, by the source of the program. */
function judged(struct: string, method: 'ceiling' | 'floor'): string[] {
  const body = source.split(`impl Judged for ${struct} {`)[1]?.split('\nimpl ')[0] ?? ''
  const fields = [...body.matchAll(new RegExp(`\\.${method}\\(self\\.(\\w+)`, 'g'))].map(([, name = '']) => camel(name))
  // lines of a rule have their strict side by the comparator, and are tried below
  return [...new Set(fields)].filter((name) => !/^(clearT|t)hreshold$/.test(name))
}

/** Structs of each group, with where they lie in it. */
const STRUCTS: Record<number, [string, string][]> = {
  1: [['', 'RiskParams']],
  2: [['', 'VaultLimits'], ['loanFlow.', 'FlowLimits'], ['collateralFlow.', 'FlowLimits'], ['inflow.', 'InflowLimits']],
  3: [['', 'InterestCurve']],
  4: [['', 'RuleParams']],
  5: [['', 'OracleSet'], ['sources.', 'OracleSource'], ['rate.', 'RateSource']],
  6: [['', 'ReferenceParams']],
  7: [['', 'Roles']],
  10: [['', 'AggregateParams']],
  12: [['', 'StandbySet'], ['sources.', 'OracleSource']],
  15: [['', 'SwapParams']],
  16: [['', 'ReservePlan']],
  17: [['', 'ReserveGrant']],
  18: [['', 'RiskScale'], ['volatility.', 'VolatilityScale'], ['ltv.', 'KeeperScale'], ['cap.', 'KeeperScale']],
}

it.each(Object.entries(STRUCTS))('knows the strict sides of group %s as the program does', (group, structs) => {
  const all = (method: 'ceiling' | 'floor') => structs.flatMap(([prefix, struct]) => judged(struct, method).map((field) => `${prefix}${field}`)).toSorted()
  expect((CEILINGS[Number(group)] ?? []).toSorted()).toEqual(all('ceiling'))
  expect((FLOORS[Number(group)] ?? []).toSorted()).toEqual(all('floor'))
})

it('finds what it compares with', () => {
  expect(judged('RiskParams', 'ceiling')).toEqual(['ltvBps'])
  expect(source).toMatch(/impl Judged for u32 \{\s+fn judge_move\(&self, next: &Self\) -> Judgement \{\s+Judgement::NONE\.floor/)
})

describe('directionOf', () => {
  const limits = { ...empty.vault().limits, supplyCapAmount: 50n, exitFloorBps: 100 }
  it('is by the loosest field', () => {
    expect(directionOf(2, limits, limits)).toBe(1)
    expect(directionOf(2, limits, { ...limits, supplyCapAmount: 40n })).toBe(2)
    expect(directionOf(2, limits, { ...limits, supplyCapAmount: 60n })).toBe(3)
    expect(directionOf(2, limits, { ...limits, supplyCapAmount: 40n, exitFloorBps: 99 })).toBe(3)
  })
  it('finds a strict side in lists and inner structs', () => {
    const set = empty.asset().oracle
    const shorter = { ...set, sources: set.sources.map((one) => ({ ...one, maxAgeSecs: 60 })) }
    expect([directionOf(5, shorter, set), directionOf(5, set, shorter)]).toEqual([2, 3])
    expect(directionOf(2, limits, { ...limits, loanFlow: { ...limits.loanFlow, hourlyBps: 1 } })).toBe(3)
  })
  it.each([
    [1, 900n, 2],
    [1, 1_100n, 3],
    [2, 900n, 3],
    [2, 1_100n, 2],
  ])('takes the lines of a rule with comparator %i to %i for direction %i', (comparator, threshold, direction) => {
    const params = { ...empty.rule().params, comparator, threshold: 1_000n }
    expect(directionOf(4, params, { ...params, threshold })).toBe(direction)
  })
  it('is strict for a longer delay, and for no other key', () => {
    expect([directionOf(8, 60, 120), directionOf(8, 120, 60), directionOf(11, 60, 120), directionOf(9, 'a', 'b')]).toEqual([2, 3, 2, 3])
  })
})
