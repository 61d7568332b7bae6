import {
  type Address,
  type Blockhash,
  type Instruction,
  AccountRole,
  appendTransactionMessageInstructions,
  compileTransactionMessage,
  compressTransactionMessageUsingAddressLookupTables,
  createTransactionMessage,
  getAddressEncoder,
  getBase64Decoder,
  getCompiledTransactionMessageEncoder,
  isAddress,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
} from '@solana/kit'
import { describe, expect, it } from 'vitest'
import { RAMPART_PROGRAM_ADDRESS } from '@/generated'
import { type Blob, readBlob } from '@/lib/blob'
import { jsonInstruction, realmsInstruction, squadsMessage } from '@/lib/exported'
import { addressesOf } from '@/lib/tables'
import { keyOf } from '@/testing/accounts'
import { allExports } from '@/testing/exported'
import recorded from '@/testing/exports.json'

const exported = await allExports()
const unnamed = (blob: Blob | null) => blob?.instructions.filter(({ name, does }) => name === null || does === null) ?? 'not read'
const names = (text: string) => readBlob(text)?.instructions.map(({ name }) => name)

describe('what the app exports is read back with a name and a sentence for each instruction', () => {
  it.each(exported)('$name', ({ authority, instructions }) => {
    const texts = [squadsMessage(instructions, authority), jsonInstruction(instructions), instructions.map(realmsInstruction).join('\n')]
    for (const text of texts) {
      const blob = readBlob(text)
      expect(unnamed(blob)).toEqual([])
      expect(blob?.instructions.length).toBe(instructions.length)
    }
    expect(instructions.map((one) => names(realmsInstruction(one))?.length)).toEqual(instructions.map(() => 1))
  })
  it('says that a withdrawal first opens the owner’s token account', () => {
    const { authority, instructions } = exported.find(({ name }) => name === 'withdrawal') ?? { authority: '', instructions: [] }
    expect(names(squadsMessage(instructions, authority))).toEqual(['create associated token account, if there is none', 'withdraw'])
  })
})

// by `rampart guard .. --export FORM --as ADDRESS --json`, of the guard in e2e/accounts.ts
describe('what the command line exports, as it was recorded', () => {
  it.each(recorded)('$command for $form', ({ texts, command }) => {
    const blobs = texts.map((text) => readBlob(text))
    expect(blobs.map(unnamed)).toEqual(blobs.map(() => []))
    const all = blobs.flatMap((blob) => blob?.instructions ?? [])
    if (!command.includes('--report')) expect(all.length).toBe(1)
    else {
      expect(all.map(({ name }) => name)).toEqual(['memo', 'propose change'])
      expect(all[0]?.args).toMatchObject({ text: expect.stringMatching(/^rampart guard \S+ change 0 report sha256:(ab){32}$/) as string })
    }
  })
})

const ROLE = { r: AccountRole.READONLY, w: AccountRole.WRITABLE }
const made = (program: string, data: readonly number[], roles: readonly (keyof typeof ROLE)[] = []): Instruction => ({ programAddress: program as Address, accounts: roles.map((role, at) => ({ address: keyOf(70 + at), role: ROLE[role] })), data: Uint8Array.from(data) })
const le = (value: number, size: number) => Array.from({ length: size }, (_, at) => Math.floor(value / 256 ** at) % 256)
const [SYSTEM, TOKEN, TOKEN_2022, BUDGET, ATA] = ['11111111111111111111111111111111', 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA', 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb', 'ComputeBudget111111111111111111111111111111', 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL']

describe('instructions of other programs', () => {
  it('are of programs that exist', () => {
    expect([SYSTEM, TOKEN, TOKEN_2022, BUDGET, ATA].every((program) => isAddress(program))).toBe(true)
  })
  it.each<[string, string, number[], unknown]>([
    ['transfer SOL', SYSTEM, [...le(2, 4), ...le(1_500, 8)], { paidLamports: 1_500n }],
    ['create account', SYSTEM, [...le(0, 4), ...le(7, 8), ...le(165, 8)], { paidLamports: 7n, bytes: 165n }],
    ['advance nonce', SYSTEM, le(4, 4), {}],
    ['transfer tokens', TOKEN, [3, ...le(25, 8)], { amount: 25n }],
    ['transfer tokens', TOKEN_2022, [12, ...le(2_500_000, 8), 6], { amount: '2.5' }],
    ['approve', TOKEN, [4, ...le(9, 8)], { amount: 9n }],
    ['close token account', TOKEN, [9], {}],
    ['compute unit limit', BUDGET, [2, ...le(300_000, 4)], { units: 300_000 }],
    ['compute unit price', BUDGET, [3, ...le(5, 8)], { microLamportsEach: 5n }],
    ['create associated token account', ATA, [], {}],
  ])('%s', (name, program, data, args) => {
    const [told] = readBlob(realmsInstruction(made(program, data)))?.instructions ?? []
    expect([told?.name, told?.args]).toEqual([name, args])
    expect(told?.does).not.toBeNull()
  })
  it('stay without a name where their bytes are short, or begin as none that is known', () => {
    for (const data of [[12, 1], [99], []]) {
      const [told] = readBlob(realmsInstruction(made(TOKEN, data)))?.instructions ?? []
      expect([told?.name, told?.of]).toEqual([null, 'token program'])
    }
    expect(readBlob(realmsInstruction(made(keyOf(3), [1])))?.instructions[0]).toMatchObject({ name: null, of: null, args: null })
  })
  it('name Rampart’s own program even where the instruction is none of this version', () => {
    expect(readBlob(realmsInstruction(made(RAMPART_PROGRAM_ADDRESS, [1, 2, 3])))?.instructions[0]).toMatchObject({ name: null, of: 'Rampart' })
  })
})

describe('a message with lookup tables', () => {
  const table = keyOf(90)
  const own = exported.find(({ name }) => name === 'veto')
  const instruction = own?.instructions[0]
  if (instruction === undefined) throw new Error('no veto')
  const all = (instruction.accounts ?? []).filter(({ role }) => role < AccountRole.READONLY_SIGNER).map((meta) => meta.address)
  const hash = { blockhash: keyOf(1) as string as Blockhash, lastValidBlockHeight: 0n }
  const bare = appendTransactionMessageInstructions([instruction], setTransactionMessageLifetimeUsingBlockhash(hash, setTransactionMessageFeePayer(keyOf(6), createTransactionMessage({ version: 0 }))))
  const message = compressTransactionMessageUsingAddressLookupTables(bare, { [table]: all })
  const text = getBase64Decoder().decode(getCompiledTransactionMessageEncoder().encode(compileTransactionMessage(message)))
  const metas = (blob: Blob | null) => blob?.instructions[0]?.accounts.map(({ meta }) => meta)

  it('is read, with the place of each account that has no address', () => {
    const blob = readBlob(text)
    expect([blob?.tables, blob?.instructions.map(({ name }) => name)]).toEqual([[table], ['veto change']])
    const found = metas(blob) ?? []
    expect(found[0]).toEqual({ pubkey: keyOf(6), isSigner: true, isWritable: true, table: null })
    const away = found.filter((meta) => meta.pubkey === null)
    expect(away.length).toBeGreaterThan(2)
    expect(away.every((meta) => meta.table?.address === table)).toBe(true)
  })
  it('has each address once the table is read, and the use that the message gives it', () => {
    const found = metas(readBlob(text, new Map([[table, all]]))) ?? []
    expect(found.map(({ pubkey }) => pubkey)).toEqual((instruction.accounts ?? []).map((meta) => meta.address))
    expect(found.slice(1).map(({ isWritable }) => isWritable)).toEqual((instruction.accounts ?? []).slice(1).map(({ role }) => role === AccountRole.WRITABLE))
  })
  it('keeps the place of what a table doesn’t have', () => {
    expect(metas(readBlob(text, new Map([[table as string, all.slice(0, 1)]])))?.filter(({ pubkey }) => pubkey === null).length).toBeGreaterThan(0)
  })
  it('reads a table’s account: addresses behind the head, and none of another account', () => {
    const data = Uint8Array.from([...le(1, 4), ...Array<number>(52).fill(0), ...getAddressEncoder().encode(keyOf(3)), ...getAddressEncoder().encode(keyOf(4))])
    expect(addressesOf(data)).toEqual([keyOf(3), keyOf(4)])
    expect([addressesOf(new Uint8Array(200)), addressesOf(data.slice(0, 20))]).toEqual([[], []])
  })
})

it('reads nothing into what is none of it', () => {
  for (const text of ['', ' ', 'hello', '[]', '[{"program_id":"x"}]', '{}', 'AAAA']) expect(readBlob(text)).toBeNull()
})
