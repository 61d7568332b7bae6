import {
  AccountRole,
  type AccountMeta,
  type Address,
  type Instruction,
  address,
  appendTransactionMessageInstructions,
  compileTransactionMessage,
  createNoopSigner,
  createTransactionMessage,
  getAddressDecoder,
  getAddressEncoder,
  getArrayEncoder,
  getBase58Decoder,
  getBase64Decoder,
  getBooleanEncoder,
  getBytesEncoder,
  getCompiledTransactionMessageEncoder,
  getStructEncoder,
  addEncoderSizePrefix,
  getU32Encoder,
  isSignerRole,
  isWritableRole,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  type Blockhash,
} from '@solana/kit'
import {
  type Guard,
  type PendingChange,
  type Roles,
  RAMPART_PROGRAM_ADDRESS,
  findKeeperSetPda,
  getAcceptRootInstruction,
  getCancelChangeInstruction,
  getExecuteChangeInstruction,
  getRolesDecoder,
  getVetoChangeInstruction,
} from '@/generated'
import type { Held } from '@/lib/accounts'
import { ROLES, ROOT, givesRoles } from '@/lib/change'

/** PDA `["__event_authority"]` of the program; a test derives it. */
export const EVENT_AUTHORITY = address('B3ifHpssvfccb9x3rjxSC73BAc6DmPsAFhSd3g3kE1zC')
const INSTRUCTIONS_SYSVAR = address('Sysvar1nstructions1111111111111111111111111')

/** What can be done with a change. */
export type Act = 'veto' | 'cancel' | 'execute'

/** Returns the address of a guard's keeper set: a guard has one at most, and its address is of the guard. */
export async function keeperSetOf(guard: string): Promise<Address> {
  const [found] = await findKeeperSetPda({ guard: address(guard) })
  return found
}

/** Returns an instruction with further accounts behind its own, which are only read. */
export function withFurther(instruction: Instruction, further: readonly Address[]): Instruction {
  const metas: AccountMeta[] = further.map((key) => ({ address: key, role: AccountRole.READONLY }))
  return { ...instruction, accounts: [...(instruction.accounts ?? []), ...metas] }
}

/** Returns the key that alone may execute a change: a new root, which accepts; null where anyone may. */
export function executorOf({ group, next }: PendingChange): Address | null {
  return group === ROOT ? getAddressDecoder().decode(next) : null
}

interface Order {
  act: Act
  change: Held<PendingChange>
  /** Who signs: the vetoer, a guardian, root; for an execution whoever pays. */
  authority: string
  /** Address of the guard's keeper set; null while it isn't worked out. */
  keeperSet: string | null
  /** What the effect of an execution is tried on, in the program's order. */
  evidence?: readonly Address[]
}

/**
 * The keeper set, for changes of roles and root: the program asks for it where the guard has one, and passes over it where
 * there is none. Throws without its address: what would be refused is never built.
 */
function keepersOf(group: number, keeperSet: string | null): Address[] {
  if (!givesRoles(group)) return []
  if (keeperSet === null) throw new Error('A change of roles names the keeper set.')
  return [address(keeperSet)]
}

/** Builds the one instruction of an act. */
export function instructionOf({ act, change, authority, keeperSet, evidence = [] }: Order): Instruction {
  const { guard, rentTo, target, group } = change.value
  const common = { guard, change: address(change.address), rentTo, eventAuthority: EVENT_AUTHORITY, program: RAMPART_PROGRAM_ADDRESS }
  switch (act) {
    case 'veto':
      return getVetoChangeInstruction({ ...common, authority: createNoopSigner(address(authority)) })
    case 'cancel':
      return getCancelChangeInstruction({ ...common, root: createNoopSigner(address(authority)) })
    case 'execute': {
      const newRoot = executorOf(change.value)
      const built =
        newRoot === null
          ? getExecuteChangeInstruction({ ...common, target, instructions: INSTRUCTIONS_SYSVAR })
          : getAcceptRootInstruction({ ...common, newRoot: createNoopSigner(newRoot), instructions: INSTRUCTIONS_SYSVAR })
      return withFurther(built, [...evidence, ...keepersOf(group, keeperSet)])
    }
  }
}

/** Identifies what is signed: every account with its use and every byte of data, and who pays. */
export function identityOf(instructions: readonly Instruction[], payer: string): string {
  return `${payer} ${jsonInstruction(instructions)}`
}

/** A multisig puts its own blockhash in; the form needs some value. */
const NO_BLOCKHASH = { blockhash: '11111111111111111111111111111111' as Blockhash, lastValidBlockHeight: 0n }

/** Returns a legacy message with `payer` as fee payer, in base58: what Squads imports. The payer is the vault's PDA. */
export function squadsMessage(instructions: readonly Instruction[], payer: string): string {
  const message = pipe(
    createTransactionMessage({ version: 'legacy' }),
    (m) => setTransactionMessageFeePayer(address(payer), m),
    (m) => setTransactionMessageLifetimeUsingBlockhash(NO_BLOCKHASH, m),
    (m) => appendTransactionMessageInstructions(instructions, m),
  )
  return getBase58Decoder().decode(getCompiledTransactionMessageEncoder().encode(compileTransactionMessage(message)))
}

const metaEncoder = getStructEncoder([
  ['pubkey', getAddressEncoder()],
  ['isSigner', getBooleanEncoder()],
  ['isWritable', getBooleanEncoder()],
])
const instructionDataEncoder = getStructEncoder([
  ['programId', getAddressEncoder()],
  ['accounts', getArrayEncoder(metaEncoder)],
  ['data', addEncoderSizePrefix(getBytesEncoder(), getU32Encoder())],
])

/** An account of an instruction, with what it is used for. */
export interface ShownMeta {
  pubkey: Address
  isSigner: boolean
  isWritable: boolean
}

/** Lists an instruction's accounts. */
export function metasOf(instruction: Instruction): ShownMeta[] {
  return (instruction.accounts ?? []).map(({ address, role }) => ({ pubkey: address, isSigner: isSignerRole(role), isWritable: isWritableRole(role) }))
}

/** Returns Borsh `InstructionData` in base64: what Realms imports, one for each instruction. */
export function realmsInstruction(instruction: Instruction): string {
  const data = instruction.data ?? new Uint8Array()
  return getBase64Decoder().decode(instructionDataEncoder.encode({ programId: instruction.programAddress, accounts: metasOf(instruction), data }))
}

function plain(instruction: Instruction): object {
  const data = getBase64Decoder().decode(instruction.data ?? new Uint8Array())
  return { program_id: instruction.programAddress, accounts: metasOf(instruction).map(({ pubkey, isSigner, isWritable }) => ({ pubkey, is_signer: isSigner, is_writable: isWritable })), data }
}

/** Returns instructions as a JSON list: for other tools. */
export function jsonInstruction(instructions: readonly Instruction[]): string {
  return JSON.stringify(instructions.map(plain), null, 2)
}

/** Lists the guardians in office. */
export const guardiansOf = ({ guardians, guardianCount }: Roles): readonly Address[] => guardians.slice(0, guardianCount)

/**
 * Returns who may stop a change: the vetoer and the guardians. A change of roles only those who keep their own by it: a guardian
 * who would become vetoer doesn't. Source: `VetoChange::validate`.
 */
export function vetoersOf({ roles }: Guard, { group, next }: Pick<PendingChange, 'group' | 'next'>): { key: string; name: string }[] {
  const then = group === ROLES ? getRolesDecoder().decode(next) : roles
  const vetoers = then.vetoer === roles.vetoer ? [{ key: roles.vetoer, name: 'Vetoer' }] : []
  const guardians = guardiansOf(roles).map((key, index) => ({ key, name: `Guardian ${index + 1}` }))
  return [...vetoers, ...guardians.filter(({ key }) => guardiansOf(then).includes(key))]
}
