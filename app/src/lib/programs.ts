import { type Address, type ReadonlyUint8Array, getU16Decoder, getU32Decoder, getU64Decoder, getUtf8Decoder } from '@solana/kit'
import { formatAmount } from '@/lib/amount'

// Other programs that stand beside Rampart's instructions in what is signed, as far as what they do can be said in a line.
// Source: the programs' own crates: solana-system-interface, spl-token-interface, spl-associated-token-account-interface,
// spl-memo-interface, solana-compute-budget-interface, solana-address-lookup-table-interface.

/** What an instruction of another program is: its name, what it does, and what its accounts and arguments are called. */
export interface Known {
  name: string
  /** What it does, in a sentence. */
  does: string
  accounts: readonly string[]
  args: Readonly<Record<string, string | number | bigint>>
}

const u16 = (data: ReadonlyUint8Array, at: number): number => getU16Decoder().read(data, at)[0]
const u32 = (data: ReadonlyUint8Array, at: number): number => getU32Decoder().read(data, at)[0]
const u64 = (data: ReadonlyUint8Array, at: number): bigint => getU64Decoder().read(data, at)[0]
const byte = (data: ReadonlyUint8Array, at: number): number => {
  const found = data[at]
  if (found === undefined) throw new Error('too short')
  return found
}

type Read = (data: ReadonlyUint8Array) => Known | null
const known = (name: string, does: string, accounts: readonly string[], args: Known['args'] = {}): Known => ({ name, does, accounts, args })

const ASSOCIATED_ACCOUNTS = ['payer', 'token account', 'owner', 'mint', 'system program', 'token program']
const associated: Read = (data) => {
  const kind = data[0] ?? 0
  if (kind === 0) return known('create associated token account', 'Opens the owner’s own account of the token; the payer pays its rent. It fails where there is one.', ASSOCIATED_ACCOUNTS)
  if (kind === 1) return known('create associated token account, if there is none', 'Opens the owner’s own account of the token where there is none; the payer pays its rent.', ASSOCIATED_ACCOUNTS)
  return null
}

const memo: Read = (data) => known('memo', 'Leaves a note in the chain’s history, and does nothing else.', [], { text: getUtf8Decoder().decode(data) })

const NONCE = ['nonce account', 'recent blockhashes', 'authority']
const system: Read = (data) => {
  switch (u32(data, 0)) {
    case 0:
      return known('create account', 'Creates an account, pays SOL into it and gives it to a program.', ['payer', 'new account'], { paidLamports: u64(data, 4), bytes: u64(data, 12) })
    case 1:
      return known('assign account', 'Gives an account to a program, which may do with it what it likes.', ['account'])
    case 2:
      return known('transfer SOL', 'Pays SOL from one account to another.', ['from', 'to'], { paidLamports: u64(data, 4) })
    case 3:
      return known('create account with seed', 'Creates an account at an address of a base and a seed, and gives it to a program.', ['payer', 'new account', 'base'])
    case 4:
      return known('advance nonce', 'Makes the transaction valid until the nonce moves on: it may be sent days later. Rampart refuses such transactions of roles.', NONCE)
    case 5:
      return known('withdraw from nonce account', 'Takes SOL out of a nonce account.', ['nonce account', 'to', 'recent blockhashes', 'rent', 'authority'], { paidLamports: u64(data, 4) })
    case 8:
      return known('allocate account', 'Gives an account its size.', ['account'], { bytes: u64(data, 4) })
    default:
      return null
  }
}

const checked = (data: ReadonlyUint8Array): Known['args'] => ({ amount: formatAmount(u64(data, 1), byte(data, 9), byte(data, 9)) })
const raw = (data: ReadonlyUint8Array): Known['args'] => ({ amount: u64(data, 1) })
const token: Read = (data) => {
  switch (byte(data, 0)) {
    case 3:
      return known('transfer tokens', 'Moves tokens from one account to another.', ['from', 'to', 'authority'], raw(data))
    case 4:
      return known('approve', 'Lets the delegate move up to the amount out of the account, until it is revoked.', ['account', 'delegate', 'owner'], raw(data))
    case 5:
      return known('revoke', 'Takes back what a delegate was allowed.', ['account', 'owner'])
    case 6:
      return known('set authority', 'Gives a right over an account or a mint to another key.', ['account or mint', 'authority'])
    case 7:
      return known('mint tokens', 'Makes new tokens.', ['mint', 'to', 'authority'], raw(data))
    case 8:
      return known('burn tokens', 'Destroys tokens.', ['account', 'mint', 'authority'], raw(data))
    case 9:
      return known('close token account', 'Closes an empty account, and pays its rent out.', ['account', 'rent to', 'owner'])
    case 12:
      return known('transfer tokens', 'Moves tokens from one account to another.', ['from', 'mint', 'to', 'authority'], checked(data))
    case 13:
      return known('approve', 'Lets the delegate move up to the amount out of the account, until it is revoked.', ['account', 'mint', 'delegate', 'owner'], checked(data))
    case 17:
      return known('sync wrapped SOL', 'Counts SOL that was paid into an account of wrapped SOL.', ['account'])
    default:
      return null
  }
}

const budget: Read = (data) => {
  switch (byte(data, 0)) {
    case 1:
      return known('request heap', 'Asks for more memory; it moves nothing.', [], { bytes: u32(data, 1) })
    case 2:
      return known('compute unit limit', 'Bounds what the transaction may compute; it moves nothing.', [], { units: u32(data, 1) })
    case 3:
      return known('compute unit price', 'Sets the priority fee, in millionths of a lamport for each unit.', [], { microLamportsEach: u64(data, 1) })
    case 4:
      return known('loaded data limit', 'Bounds the size of the accounts that are read; it moves nothing.', [], { bytes: u32(data, 1) })
    default:
      return null
  }
}

const lookup: Read = (data) => {
  const names = ['create lookup table', 'freeze lookup table', 'extend lookup table', 'deactivate lookup table', 'close lookup table']
  const name = names[u32(data, 0)]
  return name === undefined ? null : known(name, 'Changes a table of addresses that transactions may name in short.', ['lookup table', 'authority', 'payer'])
}

/** A program that is known by name, and how its instructions are read. */
interface Program {
  name: string
  read: Read
}

const TOKEN: Program = { name: 'token program', read: token }
const PROGRAMS: Readonly<Record<string, Program>> = {
  '11111111111111111111111111111111': { name: 'system program', read: system },
  ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL: { name: 'associated token program', read: associated },
  TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA: TOKEN,
  TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb: { ...TOKEN, name: 'token program of 2022' },
  MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr: { name: 'memo program', read: memo },
  Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo: { name: 'memo program', read: memo },
  ComputeBudget111111111111111111111111111111: { name: 'compute budget program', read: budget },
  AddressLookupTab1e1111111111111111111111111: { name: 'lookup table program', read: lookup },
}

/** Returns the name of a program that isn't Rampart; null for one that isn't known. */
export function programName(program: Address): string | null {
  return PROGRAMS[program]?.name ?? null
}

/** Returns what an instruction of another program does; null where it isn't known. */
export function knownOf(program: Address, data: ReadonlyUint8Array): Known | null {
  try {
    return PROGRAMS[program]?.read(data) ?? null
  } catch {
    // bytes that are too short for what they begin as
    return null
  }
}

/** The first bytes of a lookup table's account before its addresses. Source: `LOOKUP_TABLE_META_SIZE`. */
export const TABLE_HEAD = 56
/** Whose account a lookup table is. */
export const TABLE_PROGRAM = 'AddressLookupTab1e1111111111111111111111111'
/** Number of an initialised table in its first four bytes. */
export const isTable = (data: ReadonlyUint8Array): boolean => data.length >= TABLE_HEAD && u16(data, 0) === 1
