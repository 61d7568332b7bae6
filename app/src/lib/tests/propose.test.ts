import { createHash } from 'node:crypto'
import { getAddressEncoder, getProgramDerivedAddress, getU64Encoder } from '@solana/kit'
import { describe, expect, it } from 'vitest'
import { RAMPART_PROGRAM_ADDRESS, getAggregateParamsEncoder, getRolesEncoder, getVaultLimitsEncoder, parseProposeChangeInstruction } from '@/generated'
import type { Targets } from '@/lib/change'
import { EVENT_AUTHORITY, metasOf } from '@/lib/exported'
import { readField, readTyped, replaced, typed, unitOf } from '@/lib/form'
import { fieldsOf, idOfProposal, movesOfProposal, obstacleOf, proposeInstruction, subjectsOf } from '@/lib/propose'
import { empty, keyOf } from '@/testing/accounts'
import { NOW } from '@/testing/sample'

const blank = empty.guard()
const bounds = { ...blank.bounds, maxOracleAgeSecs: 120, maxLtvBps: 9_000, maxHourlyOutflowBps: 3_000, minExitFloorBps: 50, maxEffectBps: 2_500, minLoosenDelaySecs: 172_800 }
const guard = empty.guard({ bounds, nextChangeId: 7n, authorityEpoch: 3n, roles: { ...blank.roles, root: keyOf(9) } })
const limits = { ...empty.vault().limits, supplyCapAmount: 50_000_000n, exitFloorBps: 100 }
const targets: Targets = { guards: [{ address: keyOf(1), value: guard }], vaults: [{ address: keyOf(2), value: empty.vault({ limits }) }], rules: [], assets: [], policies: [], reserves: [], aggregates: [], integrations: [] }
const subject = { group: 2, target: keyOf(2), name: '' }
const context = { loan: { decimals: 6, symbol: 'USDC' }, collateral: { decimals: 9, symbol: 'SOL' } }

it('lists what has a form, with its account', () => {
  expect(subjectsOf(targets, () => 'it').map(({ name }) => name)).toEqual(['Lines and bonuses of it', 'Caps and outflow limits of it', 'Interest of it', 'Roles of it', 'Delay of loosenings of it', 'Root of it', 'Scale by the market of it', 'Cover by the reserve of it'])
})

it('has no form for what an integration let go of, nor for a holder of what was never held', () => {
  const integration = (number: number, mode: number, holder: number) => ({ address: keyOf(number) as string, value: empty.integration({ mode, holder: keyOf(holder) }) })
  const held: Targets = { ...targets, guards: [], vaults: [], integrations: [integration(60, 1, 0), integration(61, 2, 61), integration(62, 3, 99)] }
  expect(subjectsOf(held, (address) => address).map(({ group, target }) => [group, target])).toEqual([[13, keyOf(60)], [13, keyOf(61)], [14, keyOf(61)]])
})

it('proposes the dollar limit within what one change may move, against the hash of what it is', async () => {
  const params = { ...empty.aggregate().params, limitMicroUsd: 1_000_000n, windowSecs: 86_400, vaultShareBps: 4_000, switch: 2 }
  const limit: Targets = { ...targets, aggregates: [{ address: keyOf(8), value: empty.aggregate({ params }) }] }
  const about = { group: 10, target: keyOf(8) as string, name: '' }
  const fields = new Map(fieldsOf(about, limit, guard, {}).map((field) => [field.path.join('.'), field]))
  expect(fields.get('limitMicroUsd')?.bounds).toEqual({ min: 750_000n, max: 1_250_000n, why: 'how far one change may move it' })
  expect(fields.get('windowSecs')?.fixed).toBe('fixed at creation')
  const built = parseProposeChangeInstruction((await proposeInstruction({ subject: about, next: new Map([['limitMicroUsd', 1_200_000n]]) }, { address: keyOf(1), value: guard }, limit, NOW)) as never)
  expect(built.data.change).toEqual({ __kind: 'Aggregate', fields: [{ ...params, limitMicroUsd: 1_200_000n }] })
  const stored = Uint8Array.from([10, ...getAggregateParamsEncoder().encode(params)])
  expect(Buffer.from(built.data.valueHash).toString('hex')).toBe(createHash('sha256').update(stored).digest('hex'))
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
    expect(fieldAt(5, keyOf(3), 'sources.1.maxAgeSecs').bounds.max).toBe(120n)
    expect(readField(fieldAt(5, keyOf(3), 'required'), '256')).toEqual({ wrong: 'From 0 to 255 : its size on chain.' })
  })
  it('proposes them as the program stores them', async () => {
    const next = new Map([['riskAdmin', keyOf(7)]])
    const proposal = { subject: { group: 7, target: keyOf(1), name: '' }, next }
    const instruction = await proposeInstruction(proposal, { address: keyOf(1), value: guard }, held, NOW)
    const { data } = parseProposeChangeInstruction(instruction as never)
    expect(data.change).toMatchObject({ __kind: 'Roles', fields: [{ ...roles, riskAdmin: keyOf(7) }] })
    expect([...data.valueHash]).toEqual([...createHash('sha256').update(Uint8Array.from([7, ...getRolesEncoder().encode(roles)])).digest()])
    const root = await proposeInstruction({ subject: { group: 9, target: keyOf(1), name: '' }, next: new Map([['root', keyOf(8)]]) }, { address: keyOf(1), value: guard }, held, NOW)
    expect(parseProposeChangeInstruction(root as never).data.change).toMatchObject({ __kind: 'Root', fields: [keyOf(8)] })
  })

  const derived = async (...seeds: Parameters<typeof getProgramDerivedAddress>[0]['seeds']) => (await getProgramDerivedAddress({ programAddress: RAMPART_PROGRAM_ADDRESS, seeds }))[0]
  const bytes = (byte: number) => getAddressEncoder().encode(keyOf(byte))
  const read = (pubkey: string) => ({ pubkey, isSigner: false, isWritable: false })
  const own = async (target: number) => [
    { pubkey: keyOf(9), isSigner: true, isWritable: true },
    { pubkey: keyOf(1), isSigner: false, isWritable: true },
    read(keyOf(target)),
    { pubkey: await derived('change', bytes(1), getU64Encoder().encode(7n)), isSigner: false, isWritable: true },
    read('Sysvar1nstructions1111111111111111111111111'),
    read('11111111111111111111111111111111'),
    read(EVENT_AUTHORITY),
    read(RAMPART_PROGRAM_ADDRESS),
  ]
  const proposed = async (group: number, target: number, next: ReadonlyMap<string, string | bigint>) =>
    metasOf(await proposeInstruction({ subject: { group, target: keyOf(target), name: '' }, next }, { address: keyOf(1), value: { ...guard, roles } }, held, NOW))
  it('names the keeper set for roles and root, behind its own accounts, and for nothing else', async () => {
    const keepers = read(await derived('keepers', bytes(1)))
    expect(await proposed(7, 1, new Map([['riskAdmin', keyOf(7)]]))).toEqual([...(await own(1)), keepers])
    expect(await proposed(9, 1, new Map([['root', keyOf(8)]]))).toEqual([...(await own(1)), keepers])
    expect(await proposed(8, 1, new Map([['delaySecs', 300_000n]]))).toEqual(await own(1))
    expect(await proposed(2, 2, new Map([['supplyCapAmount', 1n]]))).toEqual(await own(2))
  })
  describe('a new vetoer', () => {
    const proposal = (next: [string, string][]) => ({ subject: { group: 7, target: keyOf(1), name: '' }, next: new Map(next) })
    const two = { ...guard, roles: { ...roles, vetoer: keyOf(6), guardianQuorum: 2 } }
    it('is refused with the command that gathers the guardians', async () => {
      expect(obstacleOf(proposal([['vetoer', keyOf(7)]]), two)).toEqual({
        why: 'A new vetoer needs beside root’s signature those of 2 guardians, in one transaction, which this page can’t gather. Propose it in a terminal.',
        command: `rampart guard propose roles vetoer=${keyOf(7)} --signer <ROOT> --signer <GUARDIAN> --signer <GUARDIAN>`,
      })
      expect(obstacleOf(proposal([['vetoer', keyOf(7)], ['riskAdmin', keyOf(8)]]), guard)?.why).toMatch(/those of a guardian, .*Name the other fields that move beside it\.$/)
      await expect(proposed(7, 1, new Map([['vetoer', keyOf(7)]]))).rejects.toThrow('A new vetoer needs')
    })
    it('is none where the vetoer stays, or isn’t of the change', () => {
      expect(obstacleOf(proposal([['vetoer', keyOf(6)]]), two)).toBeNull()
      expect(obstacleOf(proposal([['riskAdmin', keyOf(7)]]), two)).toBeNull()
    })
  })
})

it('is another proposal once anything of the account moves, or the guard’s number', () => {
  const proposal = { subject, next: new Map([['supplyCapAmount', 60_000_000n]]) }
  const held = { address: keyOf(1), value: guard }
  const moved: Targets = { ...targets, vaults: [{ address: keyOf(2), value: empty.vault({ limits: { ...limits, exitFloorBps: 101 } }) }] }
  const ids = [idOfProposal(proposal, held, targets), idOfProposal(proposal, held, moved), idOfProposal(proposal, { ...held, value: { ...guard, nextChangeId: 8n } }, targets), idOfProposal({ ...proposal, next: new Map([['supplyCapAmount', 1n]]) }, held, targets)]
  expect(new Set(ids).size).toBe(4)
  expect(idOfProposal(proposal, held, targets)).toBe(ids[0])
})

describe('fields that no change may move', () => {
  const reserve = empty.reserve()
  const all: Targets = {
    ...targets,
    rules: [{ address: keyOf(4), value: empty.rule() }],
    assets: [{ address: keyOf(3), value: empty.asset() }],
    reserves: [{ address: keyOf(5), value: { ...reserve, plan: { ...reserve.plan, count: 2 } } }],
  }
  const fixedOf = (group: number, target: number) => fieldsOf({ group, target: keyOf(target), name: '' }, all, guard, {}).filter(({ fixed }) => fixed !== null)
  const namesOf = (group: number, target: number) => fixedOf(group, target).map(({ path }) => path.join('.')).toSorted()
  it('are those that the program fixes at creation, with the reason', () => {
    expect(namesOf(1, 2)).toEqual(['softBonusBps', 'softLineBps', 'softQuotaBps'])
    expect(namesOf(4, 4)).toEqual(['comparator', 'metric', 'scope', 'sourcesRequired', 'windowSecs'])
    expect(namesOf(6, 3)).toEqual(['cellSecs'])
    expect(namesOf(16, 5)).toEqual(['count', 'quote', 'scored'])
    for (const group of [2, 3, 8, 9, 18]) expect(namesOf(group, group === 8 || group === 9 ? 1 : 2)).toEqual([])
    expect(fixedOf(6, 3).map(({ fixed }) => fixed)).toEqual(['fixed at creation'])
  })
  it('include the root among the roles, which moves by a change of its own', () => {
    expect(fixedOf(7, 1).map(({ path, fixed }) => [path, fixed])).toEqual([[['root'], 'moves by a change of “Root”, which the new root accepts']])
  })
  it('leave no room for a further asset in the basket', () => {
    const weights = fieldsOf({ group: 16, target: keyOf(5), name: '' }, all, guard, {}).filter(({ path }) => path[0] === 'weightsBps')
    expect(new Set(weights.map(({ path }) => path[1]))).toEqual(new Set(['1', '2']))
  })
})
