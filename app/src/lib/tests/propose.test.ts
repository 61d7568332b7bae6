import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { getRolesEncoder, getVaultLimitsEncoder, parseProposeChangeInstruction } from '@/generated'
import type { Targets } from '@/lib/change'
import { boundsOf, readField, readTyped, replaced, typed, unitOf } from '@/lib/form'
import { fieldsOf, movesOfProposal, proposeInstruction, subjectsOf } from '@/lib/propose'
import { empty, keyOf } from '@/testing/accounts'
import { NOW } from '@/testing/sample'

const blank = empty.guard()
const bounds = { ...blank.bounds, maxLtvBps: 9_000, maxHourlyOutflowBps: 3_000, minExitFloorBps: 50, maxEffectBps: 2_500, minLoosenDelaySecs: 172_800 }
const guard = empty.guard({ bounds, nextChangeId: 7n, authorityEpoch: 3n, roles: { ...blank.roles, root: keyOf(9) } })
const limits = { ...empty.vault().limits, supplyCapAmount: 50_000_000n, exitFloorBps: 100 }
const targets: Targets = { guards: [{ address: keyOf(1), value: guard }], vaults: [{ address: keyOf(2), value: empty.vault({ limits }) }], rules: [], assets: [], policies: [], reserves: [] }
const subject = { group: 2, target: keyOf(2), name: '' }
const context = { loan: { decimals: 6, symbol: 'USDC' }, collateral: { decimals: 9, symbol: 'SOL' } }

it('lists what has a form, with its account', () => {
  expect(subjectsOf(targets, () => 'it').map(({ name }) => name)).toEqual(['Lines and bonuses of it', 'Caps and outflow limits of it', 'Interest of it', 'Roles of it', 'Delay of loosenings of it', 'Root of it', 'Scale by the market of it'])
})

describe('typing', () => {
  it.each<[string[], string, number]>([
    [['exitFloorBps'], '%', 2],
    [['supplyCapAmount'], 'USDC', 6],
    [['collateralCapAmount'], 'SOL', 9],
    [['delaySecs'], 's', 0],
    [['minObservations'], '', 0],
  ])('knows the unit of %j', (path, sign, decimals) => {
    expect(unitOf(path, context)).toEqual({ sign, decimals })
  })
  it('reads back what it writes', () => {
    for (const value of [0n, 1n, 1_250n, 50_000_000_000_001n]) expect(readTyped(typed(value, { decimals: 6, sign: '' }), { decimals: 6, sign: '' })).toBe(value)
  })
  it.each(['', '-1', '1.234', 'ten', '1e3', '.5', '1.'])('refuses %j', (text) => {
    expect(readTyped(text, { decimals: 2, sign: '%' })).toBeNull()
  })
})

describe('boundsOf', () => {
  it('is how far one change may move a limit, within the hard bounds', () => {
    expect(boundsOf(2, ['exitFloorBps'], 100n, guard)).toEqual({ min: 75n, max: 125n, why: 'how far one change may move it' })
    expect(boundsOf(2, ['exitFloorBps'], 60n, guard)).toMatchObject({ min: 50n, max: 75n })
    expect(boundsOf(1, ['ltvBps'], 8_000n, guard)).toMatchObject({ max: 9_000n })
  })
  it('leaves caps free, and holds a delay to its floor', () => {
    expect(boundsOf(2, ['supplyCapAmount'], 50n, guard).max).toBe((1n << 64n) - 1n)
    expect(boundsOf(8, ['delaySecs'], 0n, guard).min).toBe(172_800n)
  })
})

it('replaces parts, each of its own type, and nothing else', () => {
  const value = { a: 1, b: 2n, c: [{ d: 3 }], e: Uint8Array.from([4]), f: keyOf(1) }
  expect(replaced(value, new Map([['b', 9n], ['c.1.d', 8n]]))).toEqual({ ...value, b: 9n, c: [{ d: 8 }] })
  expect(replaced(value, new Map([['e', 'ff'], ['f', keyOf(2)]]))).toEqual({ ...value, e: Uint8Array.from([255]), f: keyOf(2) })
  expect(replaced(5, new Map([['delaySecs', 6n]]), ['delaySecs'])).toBe(6)
})

it('proposes the whole group, against the hash of what stands', async () => {
  const next = new Map([['supplyCapAmount', 60_000_000n]])
  expect(movesOfProposal({ subject, next }, fieldsOf(subject, targets, guard, context))).toEqual([{ path: ['supplyCapAmount'], from: 50_000_000n, to: 60_000_000n }])
  const instruction = await proposeInstruction({ subject, next }, { address: keyOf(1), value: guard }, targets, NOW)
  const { data, accounts } = parseProposeChangeInstruction(instruction as never)
  expect([accounts.root.address, accounts.guard.address, accounts.target.address]).toEqual([keyOf(9), keyOf(1), keyOf(2)])
  expect(data.change).toMatchObject({ __kind: 'VaultLimits', fields: [{ supplyCapAmount: 60_000_000n, exitFloorBps: 100 }] })
  expect(data.validity).toEqual({ authorityEpoch: 3n, expiresAtTs: BigInt(NOW + 259_200) })
  const hash = createHash('sha256').update(Uint8Array.from([2, ...getVaultLimitsEncoder().encode(limits)])).digest()
  expect([...data.valueHash]).toEqual([...hash])
})

describe('a form with keys, bytes and names', () => {
  const roles = { ...guard.roles, guardians: guard.roles.guardians.map((_, at) => keyOf(20 + at)), guardianCount: 2, guardianQuorum: 1 }
  const asset = empty.asset()
  const sources = asset.oracle.sources.map((source) => ({ ...source, kind: 1, pin: 2 }))
  const held: Targets = { ...targets, guards: [{ address: keyOf(1), value: { ...guard, roles } }], assets: [{ address: keyOf(3), value: { ...asset, oracle: { ...asset.oracle, sources, count: 1 } } }] }
  const fieldAt = (group: number, target: string, path: string) => {
    const field = fieldsOf({ group, target, name: '' }, held, guard, {}).find((one) => one.path.join('.') === path)
    if (field === undefined) throw new Error(`no field ${path}`)
    return field
  }
  it('shows the entries in use, and one more', () => {
    const guardians = fieldsOf({ group: 7, target: keyOf(1), name: '' }, held, guard, {}).filter(({ path }) => path[0] === 'guardians')
    expect(guardians.map(({ kind, now }) => [kind, now])).toEqual([20, 21, 22].map((byte) => ['address', keyOf(byte)]))
  })
  it('takes an address for an address, and as many bytes as there are', () => {
    const vetoer = fieldAt(7, keyOf(1), 'vetoer')
    expect(readField(vetoer, ` ${keyOf(7)} `)).toEqual({ value: keyOf(7) })
    expect(readField(vetoer, 'somebody')).toEqual({ wrong: 'An address: 32 to 44 characters of base58.' })
    const feed = fieldAt(5, keyOf(3), 'sources.1.feedId')
    expect(readField(feed, 'AB'.repeat(32))).toEqual({ value: 'ab'.repeat(32) })
    expect(readField(feed, 'ab')).toEqual({ wrong: '64 hexadecimal digits.' })
  })
  it('names numbers that mean something, and holds others to their size', () => {
    expect(fieldAt(5, keyOf(3), 'sources.1.kind').choices).toEqual({ 0: 'none', 1: 'Pyth', 2: 'Switchboard' })
    expect(fieldAt(5, keyOf(3), 'required').bounds).toEqual({ min: 0n, max: 255n, why: 'its size on chain' })
    expect(fieldAt(5, keyOf(3), 'sources.1.maxAgeSecs').bounds.max).toBe((1n << 32n) - 1n)
    expect(readField(fieldAt(5, keyOf(3), 'required'), '256')).toEqual({ wrong: 'From 0 to 255 : its size on chain.' })
  })
  it('proposes them as the program stores them', async () => {
    const next = new Map([['vetoer', keyOf(7)]])
    const proposal = { subject: { group: 7, target: keyOf(1), name: '' }, next }
    const instruction = await proposeInstruction(proposal, { address: keyOf(1), value: guard }, held, NOW)
    const { data } = parseProposeChangeInstruction(instruction as never)
    expect(data.change).toMatchObject({ __kind: 'Roles', fields: [{ ...roles, vetoer: keyOf(7) }] })
    expect([...data.valueHash]).toEqual([...createHash('sha256').update(Uint8Array.from([7, ...getRolesEncoder().encode(roles)])).digest()])
    const root = await proposeInstruction({ subject: { group: 9, target: keyOf(1), name: '' }, next: new Map([['root', keyOf(8)]]) }, { address: keyOf(1), value: guard }, held, NOW)
    expect(parseProposeChangeInstruction(root as never).data.change).toMatchObject({ __kind: 'Root', fields: [keyOf(8)] })
  })
})
