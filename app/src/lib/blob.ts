import {
  AccountRole,
  type Address,
  type Instruction,
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
} from '@solana/kit'
import { RAMPART_PROGRAM_ADDRESS, parseRampartInstruction, RampartInstruction } from '@/generated'
import { type ShownMeta, metasOf } from '@/lib/exported'

/** One instruction in words. */
export interface Told {
  /** Address of the program. */
  program: string
  /** The instruction's name; null for another program's. */
  name: string | null
  /** Names of the accounts, where they are known. */
  accounts: { name: string | null; meta: ShownMeta }[]
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
}

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

function told(instruction: Instruction): Told {
  const metas = metasOf(instruction)
  const unnamed = { program: instruction.programAddress, name: null, accounts: metas.map((meta) => ({ name: null, meta })), args: null }
  if (instruction.programAddress !== RAMPART_PROGRAM_ADDRESS || instruction.data === undefined) return unnamed
  try {
    const parsed = parseRampartInstruction({ ...instruction, data: instruction.data })
    const names = Object.keys('accounts' in parsed ? parsed.accounts : {}).map(spelled)
    const accounts = metas.map((meta, index) => ({ name: names[index] ?? null, meta }))
    const args = Object.fromEntries(Object.entries('data' in parsed ? parsed.data : {}).filter(([key]) => key !== 'discriminator'))
    return { program: instruction.programAddress, name: spelled(RampartInstruction[parsed.instructionType]), accounts, args }
  } catch {
    return unnamed
  }
}

function lone(bytes: Uint8Array): Blob {
  const [{ programId, accounts, data }, end] = instructionDataDecoder.read(bytes, 0)
  if (end !== bytes.length) throw new Error('bytes are left over')
  const metas = accounts.map((meta) => ({ address: meta.pubkey, role: roleOf(meta) }))
  return { form: 'an instruction for Realms', payer: null, instructions: [told({ programAddress: programId, accounts: metas, data })] }
}

function message(bytes: Uint8Array, form: string): Blob {
  const [compiled, end] = getCompiledTransactionMessageDecoder().read(bytes, 0)
  if (end !== bytes.length || !('instructions' in compiled)) throw new Error('this isn’t a message')
  const { header, staticAccounts } = compiled
  const firstPlain = header.numSignerAccounts
  const metaAt = (index: number) => {
    const isSigner = index < firstPlain
    const isWritable = isSigner ? index < firstPlain - header.numReadonlySignerAccounts : index < staticAccounts.length - header.numReadonlyNonSignerAccounts
    const found: Address | undefined = staticAccounts[index]
    if (found === undefined) throw new Error('an account comes from a lookup table')
    return { address: found, role: roleOf({ isSigner, isWritable }) }
  }
  const instructions = compiled.instructions.map(({ programAddressIndex, accountIndices, data }) =>
    told({ programAddress: metaAt(programAddressIndex).address, accounts: (accountIndices ?? []).map(metaAt), data: data ?? new Uint8Array() }),
  )
  if (instructions.length === 0) throw new Error('it has no instruction')
  return { form, payer: staticAccounts[0] ?? null, instructions }
}

function transaction(bytes: Uint8Array): Blob {
  return message(new Uint8Array(getTransactionDecoder().decode(bytes).messageBytes), 'a transaction')
}

const attempt = (read: () => Blob): Blob | null => {
  try {
    return read()
  } catch {
    return null
  }
}

/** Reads what somebody was asked to sign or to vote on: a message, a transaction or an instruction; null for anything else. */
export function readBlob(text: string): Blob | null {
  const clean = text.replace(/\s+/g, '')
  if (clean === '') return null
  const base58 = () => new Uint8Array(getBase58Encoder().encode(clean))
  const base64 = () => new Uint8Array(getBase64Encoder().encode(clean))
  return (
    attempt(() => message(base58(), 'a message for Squads')) ??
    attempt(() => lone(base64())) ??
    attempt(() => transaction(base64())) ??
    attempt(() => message(base64(), 'a message')) ??
    attempt(() => transaction(base58()))
  )
}
