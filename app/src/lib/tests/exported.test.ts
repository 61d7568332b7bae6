import { address, getAddressEncoder, getBase58Encoder, getCompiledTransactionMessageDecoder, getProgramDerivedAddress } from '@solana/kit'
import { describe, expect, it } from 'vitest'
import { RAMPART_PROGRAM_ADDRESS, type PendingChange, parseAcceptRootInstruction } from '@/generated'
import { readBlob } from '@/lib/blob'
import { EVENT_AUTHORITY, executorOf, instructionOf, jsonInstruction, realmsInstruction, squadsMessage } from '@/lib/exported'

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

it('names the keeper set when roles are executed, and nothing more otherwise', () => {
  const execute = (group: number, keeperSet: string | null) => instructionOf({ act: 'execute', change: change(group), authority: key(4), keeperSet }).accounts?.length
  expect([execute(7, key(3)), execute(7, null), execute(4, key(3))]).toEqual([8, 7, 7])
})

it('lets the new root accept, whoever else would pay', () => {
  const next = new Uint8Array(400)
  next.set(getAddressEncoder().encode(key(1)))
  const takeover = { address: key(2), value: { ...change(9).value, next } as PendingChange }
  const accept = instructionOf({ act: 'execute', change: takeover, authority: key(4), keeperSet: null })
  const { accounts } = parseAcceptRootInstruction(accept as never)
  expect([accounts.newRoot.address, accounts.change.address]).toEqual([key(1), key(2)])
  expect([executorOf(takeover.value), executorOf(change(4).value)]).toEqual([key(1), null])
})

it('reads nothing from what is no message', () => {
  for (const text of ['', 'hello', '0OIl', btoa('some bytes')]) expect(readBlob(text)).toBeNull()
})
