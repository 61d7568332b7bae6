import { describe, expect, it } from 'vitest'
import { getChangeDecoder, getVaultLimitsEncoder } from '@/generated'
import { type Targets, currentOf, directionText, effectText, groupName, groupOfKind, kindOf, leavesOf, movesOf, ripeTs, stageOf } from '@/lib/change'
import { empty, keyOf } from '@/testing/accounts'

const NOTHING: Targets = { guards: [], vaults: [], rules: [], assets: [], policies: [], reserves: [], aggregates: [], integrations: [] }
const limits = { ...empty.vault().limits, supplyCapAmount: 50n, borrowCapAmount: 40n, exitFloorBps: 100 }
const vault = empty.vault({ limits })
const targets: Targets = { ...NOTHING, vaults: [{ address: keyOf(1), value: vault }] }

function next(change: Partial<typeof limits>): Uint8Array {
  const bytes = new Uint8Array(400)
  bytes.set(getVaultLimitsEncoder().encode({ ...limits, ...change }))
  return bytes
}

describe('movesOf', () => {
  it('names the fields that move, with the value that is', () => {
    const change = empty.change({ group: 2, target: keyOf(1), next: next({ supplyCapAmount: 60n }) })
    expect(movesOf(change, targets)).toEqual({ isCompared: true, moves: [{ path: ['supplyCapAmount'], from: 50n, to: 60n }] })
  })
  it('moves nothing where the account holds the values already', () => {
    const change = empty.change({ group: 2, target: keyOf(1), next: next({}) })
    expect(movesOf(change, targets)).toEqual({ isCompared: true, moves: [] })
  })
  it('lists all fields, and compares none, where the account wasn’t read', () => {
    const change = empty.change({ group: 2, target: keyOf(2), next: next({}) })
    const { moves, isCompared } = movesOf(change, targets)
    expect(isCompared).toBe(false)
    expect(moves.every(({ from }) => from === undefined)).toBe(true)
    expect(moves.find(({ path }) => path[0] === 'exitFloorBps')?.to).toBe(100)
  })
  it('reads a value without parts under its own name', () => {
    const guards = [{ address: keyOf(3), value: empty.guard({ loosenDelaySecs: 60 }) }]
    const change = empty.change({ group: 8, target: keyOf(3), next: Uint8Array.from([120, 0, 0, 0]) })
    expect(movesOf(change, { ...NOTHING, guards }).moves).toEqual([{ path: ['delaySecs'], from: 60, to: 120 }])
  })
  it('says nothing of a group that it doesn’t know', () => {
    expect(movesOf(empty.change({ group: 99 }), targets)).toEqual({ moves: [], isCompared: false })
    expect([groupName(99), currentOf(99, targets, keyOf(1))]).toEqual(['Group 99', undefined])
    expect(effectText(99)).toContain('doesn’t know the group')
  })
})

it('numbers the groups in the order of the program’s enum', () => {
  const groups = Array.from({ length: 19 }, (_, at) => at + 1)
  for (const group of groups) {
    const bytes = new Uint8Array(500)
    bytes[0] = group - 1
    expect(kindOf(group)).toBe(getChangeDecoder().decode(bytes).__kind)
    expect(groupOfKind(kindOf(group) ?? '')).toBe(group)
  }
  expect([kindOf(20), groupOfKind('Other')]).toEqual([undefined, null])
})

it('reads what every group of the program holds now', () => {
  const [one, key] = [<T>(value: T) => [{ address: keyOf(1) as string, value }], keyOf(1)]
  const params = { ...empty.aggregate().params, limitMicroUsd: 7n }
  const all: Targets = {
    guards: one(empty.guard()), vaults: one(vault), rules: one(empty.rule()), assets: one(empty.asset()), policies: one(empty.policy()), reserves: one(empty.reserve()),
    aggregates: one(empty.aggregate({ params })), integrations: one(empty.integration({ switch: 2, holder: keyOf(9) })),
  }
  const unread = Array.from({ length: 19 }, (_, at) => at + 1).filter((group) => currentOf(group, all, key) === undefined)
  expect(unread).toEqual([])
  expect([currentOf(10, all, key), currentOf(13, all, key), currentOf(14, all, key)]).toEqual([params, 2, keyOf(9)])
  expect([10, 13, 14].map((group) => currentOf(group, all, keyOf(2)))).toEqual([undefined, undefined, undefined])
})

it('joins the halves of a wide number', () => {
  expect(leavesOf({ a: { lo: 1n, hi: 1n } })).toEqual([[['a'], (1n << 64n) + 1n]])
})

it('leaves room that is kept free out, and spells bytes in hexadecimal', () => {
  expect(leavesOf({ a: 1, reserved: [0, 0], b: [{ c: Uint8Array.from([10, 255]) }] })).toEqual([
    [['a'], 1],
    [['b', '1', 'c'], '0aff'],
  ])
})

describe('stageOf', () => {
  const guard = empty.guard({ loosenDelaySecs: 100, authorityEpoch: 3n })
  const change = empty.change({ authorityEpoch: 3n, proposedAtTs: 1_000n, etaTs: 1_100n, expiresAtTs: 1_500n })
  it.each([
    [1_099, 'waiting'],
    [1_100, 'ripe'],
    [1_499, 'ripe'],
    [1_500, 'expired'],
  ])('is at %i %s', (nowTs, stage) => {
    expect(stageOf(change, guard, nowTs)).toBe(stage)
  })
  it('is void once the roles have changed, whatever the time', () => {
    expect(stageOf({ ...change, authorityEpoch: 2n }, guard, 1_200)).toBe('void')
  })
  it('waits a delay that was raised since', () => {
    expect(ripeTs(change, { ...guard, loosenDelaySecs: 300 })).toBe(1_300)
  })
  it('never waits where it holds at once', () => {
    expect(ripeTs({ ...change, etaTs: 1_000n }, { ...guard, loosenDelaySecs: 300 })).toBe(1_000)
  })
})

it('says why a direction waits, and that it doesn’t know another one', () => {
  expect([1, 2, 3, 7].map((direction) => directionText(direction).word)).toEqual(['No move', 'Tighter', 'Looser', 'Unknown'])
})
