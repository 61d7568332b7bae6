import { address, getAddressEncoder, getBase58Encoder, getCompiledTransactionMessageDecoder, getProgramDerivedAddress } from '@solana/kit'
import { describe, expect, it } from 'vitest'
import { RAMPART_PROGRAM_ADDRESS, type PendingChange, getRolesEncoder, parseAcceptRootInstruction } from '@/generated'
import { readBlob } from '@/lib/blob'
import { EVENT_AUTHORITY, executorOf, identityOf, instructionOf, jsonInstruction, keeperSetOf, metasOf, realmsInstruction, squadsMessage, vetoersOf } from '@/lib/exported'
import { empty, keyOf } from '@/testing/accounts'

const key = (byte: number) => address(['', 'SysvarC1ock11111111111111111111111111111111', 'SysvarRent111111111111111111111111111111111', 'Vote111111111111111111111111111111111111111', 'Stake11111111111111111111111111111111111111'][byte] ?? '')
const change = (group: number) => ({ address: key(1), value: { guard: key(2), rentTo: key(3), target: key(2), group } as PendingChange })
const veto = instructionOf({ act: 'veto', change: change(4), authority: key(4), keeperSet: null })

it('names the event authority that the program derives', async () => {
  const [derived] = await getProgramDerivedAddress({ programAddress: RAMPART_PROGRAM_ADDRESS, seeds: ['__event_authority'] })
  expect(EVENT_AUTHORITY).toBe(derived)
})

describe('a veto', () => {
  it('is a legacy message for Squads that the vault pays and signs alone', () => {
    const compiled = getCompiledTransactionMessageDecoder().decode(getBase58Encoder().encode(squadsMessage([veto], key(4))))
    expect(compiled.version).toBe('legacy')
    expect(compiled.header.numSignerAccounts).toBe(1)
    expect(compiled.staticAccounts[0]).toBe(key(4))
  })
  it('is read back in words from each form', () => {
    for (const text of [squadsMessage([veto], key(4)), realmsInstruction(veto)]) {
      const blob = readBlob(`  ${text}\n`)
      expect(blob?.instructions.map(({ name }) => name)).toEqual(['veto change'])
      expect(blob?.instructions[0]?.accounts.map(({ name, meta }) => [name, meta.pubkey]).slice(0, 3)).toEqual([
        ['authority', key(4)],
        ['guard', key(2)],
        ['change', key(1)],
      ])
    }
  })
  it('lays InstructionData out as Borsh: program, accounts with two flags, length and data', () => {
    const bytes = Uint8Array.from(atob(realmsInstruction(veto)), (sign) => sign.charCodeAt(0))
    expect(bytes.length).toBe(32 + 4 + 6 * 34 + 4 + 8)
    expect([...bytes.slice(32, 36)]).toEqual([6, 0, 0, 0])
    // the authority signs and isn't written
    expect([...bytes.slice(68, 70)]).toEqual([1, 0])
    expect([...bytes.slice(-12)]).toEqual([8, 0, 0, 0, 197, 140, 167, 76, 117, 41, 54, 221])
  })
  it('is JSON with the names of the wire', () => {
    expect(JSON.parse(jsonInstruction([veto]))).toMatchObject([{ program_id: RAMPART_PROGRAM_ADDRESS, accounts: [{ pubkey: key(4), is_signer: true, is_writable: false }, {}, {}, {}, {}, {}] }])
  })
})

const read = (pubkey: string) => ({ pubkey, isSigner: false, isWritable: false })
const written = (pubkey: string) => ({ pubkey, isSigner: false, isWritable: true })
const SYSVAR = 'Sysvar1nstructions1111111111111111111111111'
const takeover = () => {
  const next = new Uint8Array(400)
  next.set(getAddressEncoder().encode(key(1)))
  return { address: key(2), value: { ...change(9).value, next } as PendingChange }
}

it('derives the keeper set of a guard as the program does', async () => {
  const [derived] = await getProgramDerivedAddress({ programAddress: RAMPART_PROGRAM_ADDRESS, seeds: ['keepers', getAddressEncoder().encode(keyOf(5))] })
  expect(await keeperSetOf(keyOf(5))).toBe(derived)
})

describe('an execution', () => {
  const execute = (group: number, more: object = {}) => metasOf(instructionOf({ act: 'execute', change: change(group), authority: key(4), keeperSet: keyOf(9), ...more }))
  const own = [written(key(2)), written(key(1)), written(key(3)), written(key(2)), read(SYSVAR), read(EVENT_AUTHORITY), read(RAMPART_PROGRAM_ADDRESS)]
  it('of roles names the keeper set behind its own accounts, and of nothing else', () => {
    expect(execute(7)).toEqual([...own, read(keyOf(9))])
    expect(execute(4)).toEqual(own)
  })
  it('names what its effect is tried on', () => {
    expect(execute(1, { evidence: [keyOf(7), keyOf(8)] })).toEqual([...own, read(keyOf(7)), read(keyOf(8))])
  })
  it('of roles or root isn’t built without the address of the keeper set', () => {
    for (const order of [change(7), takeover()]) {
      expect(() => instructionOf({ act: 'execute', change: order, authority: key(4), keeperSet: null })).toThrow('A change of roles names the keeper set.')
    }
  })
})

it('lets the new root accept, whoever else would pay, and names the keeper set', () => {
  const accept = instructionOf({ act: 'execute', change: takeover(), authority: key(4), keeperSet: keyOf(9) })
  const { accounts } = parseAcceptRootInstruction(accept as never)
  expect([accounts.newRoot.address, accounts.change.address]).toEqual([key(1), key(2)])
  const own = [{ pubkey: key(1), isSigner: true, isWritable: false }, written(key(2)), written(key(2)), written(key(3)), read(SYSVAR), read(EVENT_AUTHORITY), read(RAMPART_PROGRAM_ADDRESS)]
  expect(metasOf(accept)).toEqual([...own, read(keyOf(9))])
  expect([executorOf(takeover().value), executorOf(change(4).value)]).toEqual([key(1), null])
})

it('tells instructions apart by every account, its use, the data, and who pays', () => {
  const [first, ...rest] = veto.accounts ?? []
  const others = [
    instructionOf({ act: 'cancel', change: change(4), authority: key(4), keeperSet: null }),
    { ...veto, accounts: rest },
    { ...veto, accounts: [{ address: key(3), role: first?.role ?? 0 }, ...rest] },
    { ...veto, accounts: [{ address: first?.address ?? key(4), role: 3 }, ...rest] },
    { ...veto, data: Uint8Array.from([1]) },
  ]
  const ids = [identityOf([veto], key(4)), identityOf([veto], key(3)), identityOf([veto, veto], key(4)), ...others.map((other) => identityOf([other], key(4)))]
  expect(new Set(ids).size).toBe(ids.length)
  expect(identityOf([{ ...veto }], key(4))).toBe(ids[0])
})

describe('who may veto', () => {
  const blank = empty.guard().roles
  const filled = (...keys: number[]) => blank.guardians.map((none, at) => (keys[at] === undefined ? none : keyOf(keys[at])))
  const roles = { ...blank, vetoer: keyOf(1), guardians: filled(2, 3), guardianCount: 2 }
  const keysFor = (group: number, next: Partial<typeof roles> = {}) => {
    const bytes = new Uint8Array(400)
    bytes.set(getRolesEncoder().encode({ ...roles, ...next }))
    return vetoersOf(empty.guard({ roles }), { group, next: bytes }).map(({ key, name }) => [name, key])
  }
  const all = [['Vetoer', keyOf(1)], ['Guardian 1', keyOf(2)], ['Guardian 2', keyOf(3)]]
  it('is the vetoer and each guardian', () => {
    expect(keysFor(2)).toEqual(all)
    expect(keysFor(7, { riskAdmin: keyOf(9) })).toEqual(all)
  })
  it('isn’t one whose own role the change takes away', () => {
    expect(keysFor(7, { vetoer: keyOf(9) })).toEqual([all[1], all[2]])
    expect(keysFor(7, { guardians: filled(3), guardianCount: 1 })).toEqual([all[0], all[2]])
    // an entry that isn't in use is no role
    expect(keysFor(7, { guardianCount: 1 })).toEqual([all[0], all[1]])
  })
  it('isn’t one who would get the other role for it, and may be nobody', () => {
    expect(keysFor(7, { vetoer: keyOf(2), guardians: filled(1, 8) })).toEqual([])
  })
})

it('reads nothing from what is no message', () => {
  for (const text of ['', 'hello', '0OIl', btoa('some bytes')]) expect(readBlob(text)).toBeNull()
})
