import { describe, expect, it } from 'vitest'
import { parseTightenAggregateInstruction, parseTightenRuleInstruction, parseTightenSwapPolicyInstruction, parseTightenVaultInstruction } from '@/generated'
import type { Targets } from '@/lib/change'
import { metasOf } from '@/lib/exported'
import { idOfTightening, isAtOnce, leftOf, obstacleOfTightening, stepOf, tightenInstruction, tightenersOf } from '@/lib/tighten'
import { empty, keyOf } from '@/testing/accounts'
import { NOW } from '@/testing/sample'

const zero = empty.guard()
const guard = { address: keyOf(1) as string, value: empty.guard({ authorityEpoch: 3n, bounds: { ...zero.bounds, maxTightenStepBps: 5_000 }, roles: { ...zero.roles, root: keyOf(9), riskAdmin: keyOf(8) } }) }
const blank = empty.vault()
const flow = { ...blank.limits.loanFlow, absoluteFloorAmount: 7n, hourlyBps: 500, dailyBps: 1_500 }
const vault = empty.vault({ risk: { ...blank.risk, ltvBps: 7_500 }, limits: { ...blank.limits, supplyCapAmount: 50n, borrowCapAmount: 40n, collateralCapAmount: 30n, loanFlow: flow, exitFloorBps: 100 }, scale: { ...blank.scale, floorLtvBps: 4_000 } })
const params = { ...empty.rule().params, comparator: 1, threshold: 1_500n, clearThreshold: 800n }
const targets: Targets = {
  guards: [guard],
  vaults: [{ address: keyOf(2), value: vault }],
  rules: [{ address: keyOf(3), value: empty.rule({ params, tightened: { lastTs: BigInt(NOW - 3_600), usedBps: 2_000, reserved: new Uint8Array(4) } }) }],
  assets: [],
  policies: [{ address: keyOf(5), value: empty.policy({ params: { ...empty.policy().params, maxSlippageBps: 80 } }) }],
  reserves: [],
  aggregates: [{ address: keyOf(4), value: empty.aggregate({ params: { ...empty.aggregate().params, limitMicroUsd: 1_000n } }) }],
  integrations: [],
}
const proposal = (group: number, target: number, next: [string, bigint][]) => ({ subject: { group, target: keyOf(target) as string, name: '' }, next: new Map(next) })
const built = (group: number, target: number, next: [string, bigint][]) => tightenInstruction(proposal(group, target, next), keyOf(8), guard, targets, NOW) as never

it('is for what gets stricter in every part, of groups that have an instruction', () => {
  const moves = (to: bigint) => [{ path: ['supplyCapAmount'], from: 50n, to }]
  expect([isAtOnce(2, moves(40n), vault.limits), isAtOnce(2, moves(60n), vault.limits)]).toEqual([true, false])
  expect(isAtOnce(2, [...moves(40n), { path: ['exitFloorBps'], from: 100, to: 90n }], vault.limits)).toBe(false)
  // stricter, but only a change does it
  expect(isAtOnce(8, [{ path: ['delaySecs'], from: 1, to: 2n }], 1)).toBe(false)
  expect(isAtOnce(2, [], vault.limits)).toBe(false)
})

describe('the instruction', () => {
  it('of a vault takes its other limits along as they are', () => {
    const { data, accounts } = parseTightenVaultInstruction(built(2, 2, [['supplyCapAmount', 25n]]))
    expect(data).toMatchObject({ ltvBps: 7_500, supplyCapAmount: 25n, borrowCapAmount: 40n, collateralCapAmount: 30n, loanFlow: flow, scale: { floorLtvBps: 4_000 }, validity: { authorityEpoch: 3n, expiresAtTs: BigInt(NOW + 259_200) } })
    expect([accounts.authority.address, accounts.guard.address, accounts.vault.address]).toEqual([keyOf(8), keyOf(1), keyOf(2)])
    expect(parseTightenVaultInstruction(built(1, 2, [['ltvBps', 7_000n]])).data).toMatchObject({ ltvBps: 7_000, supplyCapAmount: 50n })
    expect(parseTightenVaultInstruction(built(18, 2, [['floorLtvBps', 3_000n]])).data).toMatchObject({ ltvBps: 7_500, scale: { floorLtvBps: 3_000 } })
  })
  it('of a rule, the dollar limit and a swap policy takes the whole value', () => {
    expect(parseTightenRuleInstruction(built(4, 3, [['threshold', 1_200n]])).data.params).toEqual({ ...params, threshold: 1_200n })
    expect(parseTightenAggregateInstruction(built(10, 4, [['limitMicroUsd', 900n]])).data.params).toMatchObject({ limitMicroUsd: 900n })
    expect(parseTightenSwapPolicyInstruction(built(15, 5, [['maxSlippageBps', 50n]])).data.params).toMatchObject({ maxSlippageBps: 50 })
  })
  it('is signed by who tightens, and by nobody else', () => {
    expect(metasOf(built(4, 3, [['threshold', 1_200n]])).filter(({ isSigner }) => isSigner).map(({ pubkey }) => pubkey)).toEqual([keyOf(8)])
    expect(tightenersOf(guard.value).map(({ key }) => key)).toEqual([keyOf(8), keyOf(9)])
  })
  it('there is none for other groups', () => {
    expect(() => tightenInstruction(proposal(7, 1, []), keyOf(8), guard, targets, NOW)).toThrow('This group can’t be tightened at once.')
  })
  it('is another one once another limit of the vault moves', () => {
    const order = proposal(1, 2, [['ltvBps', 7_000n]])
    const moved: Targets = { ...targets, vaults: [{ address: keyOf(2), value: { ...vault, limits: { ...vault.limits, borrowCapAmount: 39n } } }] }
    expect(idOfTightening(order, keyOf(8), guard, moved)).not.toBe(idOfTightening(order, keyOf(8), guard, targets))
    expect(idOfTightening(order, keyOf(9), guard, targets)).not.toBe(idOfTightening(order, keyOf(8), guard, targets))
  })
})

describe('the step of a day', () => {
  const step = (from: bigint, to: bigint, path = ['threshold'], group = 4) => stepOf(group, [{ path, from, to }])
  it('is the longest share of the larger value, rounded up, without switches', () => {
    expect([step(100n, 75n), step(75n, 100n), step(3n, 2n), step(5n, 0n), step(0n, 0n)]).toEqual([2_500, 2_500, 3_334, 10_000, 0])
    expect([step(1n, 2n, ['switch']), step(1n, 9n, ['volatility', 'slopeBps'], 18), step(4n, 3n, ['floorLtvBps'], 18)]).toEqual([0, 0, 2_500])
  })
  it('counts what was taken within the last 24 hours', () => {
    const { subject } = proposal(4, 3, [])
    expect([leftOf(subject, targets, guard.value, NOW), leftOf(subject, targets, guard.value, NOW + 82_800)]).toEqual([3_000, 5_000])
    const moves = [{ path: ['threshold'], from: 1_500n, to: 900n }]
    expect(obstacleOfTightening(subject, moves, targets, guard.value, NOW)).toBe('It takes 40 % off a value, and tightenings at once may take 30 % off until 24 hours have passed without one. Take a smaller step, or propose it.')
    expect(obstacleOfTightening(subject, moves, targets, guard.value, NOW + 82_800)).toBeNull()
  })
})
