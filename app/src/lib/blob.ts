import {
  AccountRole,
  type Address,
  type CompiledTransactionMessage,
  type ReadonlyUint8Array,
  addDecoderSizePrefix,
  getAddressDecoder,
  getArrayDecoder,
  getBase58Encoder,
  getBase64Encoder,
  getBooleanDecoder,
  getBytesDecoder,
  getCompiledTransactionMessageDecoder,
  getStructDecoder,
  getTransactionDecoder,
  getU32Decoder,
  isAddress,
} from '@solana/kit'
import * as v from 'valibot'
import { RAMPART_PROGRAM_ADDRESS, parseRampartInstruction, RampartInstruction } from '@/generated'
import type { ShownMeta } from '@/lib/exported'
import { knownOf, programName } from '@/lib/programs'
import { Base64 } from '@/lib/schema/accounts'
import { sentenceOf } from '@/lib/sentence'

/** An account of an instruction, which may come out of a lookup table. */
export interface ToldMeta extends Omit<ShownMeta, 'pubkey'> {
  /** Its address; null where it is in a table that wasn't read. */
  pubkey: Address | null
  /** The table that it comes out of, and its place there; null where the message names it itself. */
  table: { address: Address; place: number } | null
}

/** One instruction in words. */
export interface Told {
  /** Address of the program. */
  program: string
  /** The program's name, where it is known. */
  of: string | null
  /** The instruction's name; null where this app doesn't know it. */
  name: string | null
  /** What it does, in a sentence; null where its name has to do. */
  does: string | null
  /** Names of the accounts, where they are known. */
  accounts: { name: string | null; meta: ToldMeta }[]
  /** Its arguments; null where they can't be read. */
  args: unknown
}

/** What a blob holds. */
export interface Blob {
  /** In which form it came. */
  form: string
  /** Who pays; null for a lone instruction. */
  payer: string | null
  /** Its instructions. */
  instructions: Told[]
  /** Lookup tables that accounts come out of. */
  tables: readonly Address[]
}

/** Addresses of lookup tables that were read, by the table's own. */
export type Tables = ReadonlyMap<string, readonly Address[]>

const metaDecoder = getStructDecoder([
  ['pubkey', getAddressDecoder()],
  ['isSigner', getBooleanDecoder()],
  ['isWritable', getBooleanDecoder()],
])
const instructionDataDecoder = getStructDecoder([
  ['programId', getAddressDecoder()],
  ['accounts', getArrayDecoder(metaDecoder)],
  ['data', addDecoderSizePrefix(getBytesDecoder(), getU32Decoder())],
])

const roleOf = ({ isSigner, isWritable }: Omit<ShownMeta, 'pubkey'>): AccountRole =>
  isSigner ? (isWritable ? AccountRole.WRITABLE_SIGNER : AccountRole.READONLY_SIGNER) : isWritable ? AccountRole.WRITABLE : AccountRole.READONLY

/** Spells "executeChange" as "execute change". */
export const spelled = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase()

interface Compiled {
  program: Address
  metas: readonly ToldMeta[]
  data: ReadonlyUint8Array
}

/** Stands in for an address that isn't known where the client wants one; it is never shown. */
const UNKNOWN = '11111111111111111111111111111111' as Address

function ofRampart({ program, metas, data }: Compiled): Omit<Told, 'program'> {
  const accounts = metas.map((meta) => ({ address: meta.pubkey ?? UNKNOWN, role: roleOf(meta) }))
  const parsed = parseRampartInstruction({ programAddress: program as typeof RAMPART_PROGRAM_ADDRESS, accounts, data })
  const names = Object.keys('accounts' in parsed ? parsed.accounts : {}).map(spelled)
  const args = Object.fromEntries(Object.entries('data' in parsed ? parsed.data : {}).filter(([key]) => key !== 'discriminator'))
  const name = spelled(RampartInstruction[parsed.instructionType])
  return { of: 'Rampart', name, does: sentenceOf(name), accounts: metas.map((meta, index) => ({ name: names[index] ?? null, meta })), args }
}

function told(instruction: Compiled): Told {
  const { program, metas, data } = instruction
  const isOwn = program === RAMPART_PROGRAM_ADDRESS
  const unnamed = { program, of: isOwn ? 'Rampart' : programName(program), name: null, does: null, accounts: metas.map((meta) => ({ name: null, meta })), args: null }
  if (isOwn) {
    try {
      return { program, ...ofRampart(instruction) }
    } catch {
      return unnamed
    }
  }
  const known = knownOf(program, data)
  if (known === null) return unnamed
  return { ...unnamed, name: known.name, does: known.does, accounts: metas.map((meta, index) => ({ name: known.accounts[index] ?? null, meta })), args: known.args }
}

const plain = (meta: ShownMeta): ToldMeta => ({ ...meta, table: null })

function lone(bytes: Uint8Array): Blob {
  const [{ programId, accounts, data }, end] = instructionDataDecoder.read(bytes, 0)
  if (end !== bytes.length) throw new Error('bytes are left over')
  return { form: 'an instruction for Realms', payer: null, tables: [], instructions: [told({ program: programId, metas: accounts.map(plain), data })] }
}

/** A table of a message, with the places that it uses. */
type Lookup = NonNullable<(CompiledTransactionMessage & { version: 0 })['addressTableLookups']>[number]

/** Lists the accounts that come out of tables: of all tables those that are written first. */
function lookedUp(lookups: readonly Lookup[], tables: Tables): ToldMeta[] {
  const taken = (indexes: (lookup: Lookup) => readonly number[], isWritable: boolean) =>
    lookups.flatMap((lookup) => indexes(lookup).map((place) => ({ pubkey: tables.get(lookup.lookupTableAddress)?.[place] ?? null, isSigner: false, isWritable, table: { address: lookup.lookupTableAddress, place } })))
  return [...taken(({ writableIndexes }) => writableIndexes, true), ...taken(({ readonlyIndexes }) => readonlyIndexes, false)]
}

function message(bytes: Uint8Array, form: string, tables: Tables): Blob {
  const [compiled, end] = getCompiledTransactionMessageDecoder().read(bytes, 0)
  if (end !== bytes.length || !('instructions' in compiled)) throw new Error('this isn’t a message')
  const { header, staticAccounts } = compiled
  const lookups = 'addressTableLookups' in compiled ? (compiled.addressTableLookups ?? []) : []
  const firstPlain = header.numSignerAccounts
  const named = staticAccounts.map((pubkey, index): ToldMeta => {
    const isSigner = index < firstPlain
    const isWritable = isSigner ? index < firstPlain - header.numReadonlySignerAccounts : index < staticAccounts.length - header.numReadonlyNonSignerAccounts
    return { pubkey, isSigner, isWritable, table: null }
  })
  const all = [...named, ...lookedUp(lookups, tables)]
  const metaAt = (index: number): ToldMeta => {
    const found = all[index]
    if (found === undefined) throw new Error('an account is missing')
    return found
  }
  const instructions = compiled.instructions.map(({ programAddressIndex, accountIndices, data }) => {
    const program = staticAccounts[programAddressIndex]
    // no chain runs a program out of a table
    if (program === undefined) throw new Error('a program is missing')
    return told({ program, metas: (accountIndices ?? []).map(metaAt), data: data ?? new Uint8Array() })
  })
  if (instructions.length === 0) throw new Error('it has no instruction')
  return { form, payer: staticAccounts[0] ?? null, tables: lookups.map(({ lookupTableAddress }) => lookupTableAddress), instructions }
}

function transaction(bytes: Uint8Array, tables: Tables): Blob {
  return message(new Uint8Array(getTransactionDecoder().decode(bytes).messageBytes), 'a transaction', tables)
}

const Plain = v.pipe(
  v.array(
    v.object({
      program_id: v.pipe(v.string(), v.check(isAddress)),
      accounts: v.array(v.object({ pubkey: v.pipe(v.string(), v.check(isAddress)), is_signer: v.boolean(), is_writable: v.boolean() })),
      data: v.pipe(v.string(), Base64),
    }),
  ),
  v.minLength(1),
)

/** Reads the list of instructions that this app gives other tools. */
function listed(text: string): Blob {
  const read = v.parse(Plain, JSON.parse(text))
  const instructions = read.map(({ program_id, accounts, data }) =>
    told({ program: program_id as Address, metas: accounts.map(({ pubkey, is_signer, is_writable }) => plain({ pubkey: pubkey as Address, isSigner: is_signer, isWritable: is_writable })), data }),
  )
  return { form: 'a list of instructions', payer: null, tables: [], instructions }
}

const attempt = (read: () => Blob): Blob | null => {
  try {
    return read()
  } catch {
    return null
  }
}

/** Realms takes each instruction by itself: several texts, a line each. */
function several(text: string): Blob {
  const lines = text.trim().split(/\s+/)
  if (lines.length < 2) throw new Error('there is one')
  const all = lines.map((line) => lone(new Uint8Array(getBase64Encoder().encode(line))))
  return { form: `${all.length} instructions for Realms`, payer: null, tables: [], instructions: all.flatMap(({ instructions }) => instructions) }
}

/**
 * Reads what somebody was asked to sign or to vote on: a message, a transaction or instructions; null for anything else. Accounts that
 * come out of lookup tables have addresses where the tables were read.
 */
export function readBlob(text: string, tables: Tables = new Map()): Blob | null {
  const clean = text.replace(/\s+/g, '')
  if (clean === '') return null
  const base58 = () => new Uint8Array(getBase58Encoder().encode(clean))
  const base64 = () => new Uint8Array(getBase64Encoder().encode(clean))
  return (
    attempt(() => listed(text)) ??
    attempt(() => message(base58(), 'a message for Squads', tables)) ??
    attempt(() => several(text)) ??
    attempt(() => lone(base64())) ??
    attempt(() => transaction(base64(), tables)) ??
    attempt(() => message(base64(), 'a message', tables)) ??
    attempt(() => transaction(base58(), tables))
  )
}
