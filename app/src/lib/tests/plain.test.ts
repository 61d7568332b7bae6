import { describe, expect, it } from 'vitest'
import { fromBase58, realmsInstructionOf, squadsMessageOf, toBase58 } from '../../../e2e/plain'
import { metasOf, realmsInstruction, squadsMessage } from '@/lib/exported'
import { allExports } from '@/testing/exported'
import recorded from '@/testing/exports.json'

const exported = await allExports()

describe('what the app exports says the same to a decoder that shares nothing with it', () => {
  it.each(exported)('$name for Realms', ({ instructions }) => {
    for (const one of instructions) {
      expect(realmsInstructionOf(realmsInstruction(one))).toEqual({ program: one.programAddress, accounts: metasOf(one), data: [...(one.data ?? [])] })
    }
  })
  it.each(exported)('$name for Squads', ({ authority, instructions }) => {
    const read = squadsMessageOf(squadsMessage(instructions, authority))
    expect([read.payer, read.signers, read.blockhash]).toEqual([authority, [authority], '1'.repeat(32)])
    expect(read.instructions.map(({ program, data }) => [program, data])).toEqual(instructions.map((one) => [one.programAddress, [...(one.data ?? [])]]))
    const all = instructions.flatMap(metasOf)
    // a message gives an account one use for all of its instructions, and its payer is written
    const uses = (pubkey: string) => ({ isSigner: pubkey === authority, isWritable: pubkey === authority || all.some((meta) => meta.pubkey === pubkey && meta.isWritable) })
    expect(read.instructions.map(({ accounts }) => accounts)).toEqual(instructions.map((one) => metasOf(one).map(({ pubkey }) => ({ pubkey, ...uses(pubkey) }))))
  })
})

it('reads what the command line exported, both forms the same', () => {
  for (const command of new Set(recorded.map((one) => one.command))) {
    const forms = recorded.filter((one) => one.command === command)
    const message = forms.filter(({ form }) => form === 'squads').flatMap(({ texts }) => texts.map(squadsMessageOf))
    const alone = forms.filter(({ form }) => form === 'realms').flatMap(({ texts }) => texts.map(realmsInstructionOf))
    expect(message.flatMap(({ instructions }) => instructions.map(({ program, accounts }) => [program, accounts.map(({ pubkey }) => pubkey)]))).toEqual(alone.map(({ program, accounts }) => [program, accounts.map(({ pubkey }) => pubkey)]))
    expect(message.every(({ signers }) => signers.length === 1)).toBe(true)
  }
})

describe('the decoder itself', () => {
  it('takes base58 both ways, with leading zeros', () => {
    // of the reference implementation: "Hello World!" and two zero bytes
    expect(fromBase58('2NEpo7TZRRrLZSi2U')).toEqual(Array.from(new TextEncoder().encode('Hello World!')))
    expect([toBase58([0, 0, 1]), fromBase58('112')]).toEqual(['112', [0, 0, 1]])
    expect(() => fromBase58('0')).toThrow('no sign of base58')
  })
  it('refuses what is short, what is left over, and flags that are none', () => {
    const text = realmsInstruction(exported[0]?.instructions[0] ?? ({} as never))
    const bytes = Array.from(atob(text), (sign) => sign.charCodeAt(0))
    const back = (all: readonly number[]) => btoa(String.fromCharCode(...all))
    expect(() => realmsInstructionOf(back(bytes.slice(0, -1)))).toThrow('the bytes end early')
    expect(() => realmsInstructionOf(back([...bytes, 0]))).toThrow('1 bytes are left over')
    expect(() => realmsInstructionOf(back(bytes.map((byte, at) => (at === 68 ? 2 : byte))))).toThrow('no flag: 2')
    expect(() => squadsMessageOf(toBase58([128, 1, 0, 0]))).toThrow('a versioned message')
  })
})
