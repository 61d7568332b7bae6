import { type Held, KINDS, type Kind } from '@/lib/accounts'
import { type Leaf, type Move, leavesOf } from '@/lib/change'

/** Bytes of an account; null where there is none. */
export type Bytes = Uint8Array | null

/** What a transaction does to one account. */
export interface Effect {
  address: string
  /** What the account is, in words. */
  kind: string
  /** Whether it is there before and after. */
  life: 'changed' | 'created' | 'closed'
  /** The fields that move. */
  moves: Move[]
}

const NAMES: Record<keyof typeof KINDS, string> = {
  guard: 'Guard',
  asset: 'Asset',
  vault: 'Vault',
  rule: 'Rule',
  group: 'Group of rules',
  change: 'Pending change',
  keeperSet: 'Keeper set',
  report: 'Report',
  reserve: 'Reserve',
  policy: 'Swap policy',
  aggregate: 'Dollar limit',
  integration: 'Integration',
  position: 'Position',
}

interface Known {
  name: string
  kind: Kind<object>
}

const KNOWN: Known[] = Object.entries(KINDS).map(([name, kind]) => ({ name: NAMES[name as keyof typeof KINDS], kind: kind }))

/** Fields that say what an account is rather than what it holds. */
const FIXED: readonly string[] = ['discriminator', 'version', 'bump', 'padding']
const TOKEN_SIZE = 165
const TOKEN_AMOUNT_OFFSET = 64

function decoded(bytes: Uint8Array): { name: string; leaves: [readonly string[], Leaf][] } | null {
  const known = KNOWN.find(({ kind }) => kind.discriminator.every((byte, at) => bytes[at] === byte))
  if (known !== undefined) {
    const leaves = leavesOf(known.kind.decoder.decode(bytes)).filter(([path]) => !FIXED.includes(path[0] ?? ''))
    return { name: known.name, leaves }
  }
  if (bytes.length < TOKEN_SIZE) return null
  const amount = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(TOKEN_AMOUNT_OFFSET, true)
  return { name: 'Token account', leaves: [[['balance'], amount]] }
}

/** Returns what moves from one state of an account to another by the client's own decoders; null where nothing does, or it can't be read. */
export function effectOf(address: string, before: Bytes, after: Bytes): Effect | null {
  const [was, is] = [before, after].map((bytes) => (bytes === null || bytes.length === 0 ? null : decoded(bytes)))
  const kind = is?.name ?? was?.name
  if (kind === undefined) return null
  const old = new Map(was?.leaves.map(([path, leaf]) => [path.join('.'), leaf]))
  if (is === null || is === undefined) return { address, kind, life: 'closed', moves: [] }
  const moves = is.leaves.map(([path, to]) => ({ path, from: old.get(path.join('.')), to })).filter(({ from, to }) => from !== to)
  const life = was === null || was === undefined ? 'created' : 'changed'
  return moves.length === 0 ? null : { address, kind, life, moves }
}

/** Says why a simulation failed: the program's own words where it logged them. */
export function failureText(error: unknown, logs: readonly string[]): string {
  const words = logs.map((line) => /Error Message: (.*?)\.?$/.exec(line)?.[1]).find((text) => text !== undefined)
  if (words !== undefined) return words
  if (typeof error === 'string') return ERRORS[error] ?? error
  const text = JSON.stringify(error, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
  return logs.findLast((line) => line.startsWith('Program log: '))?.slice('Program log: '.length) ?? text
}

const ERRORS: Record<string, string> = {
  AccountNotFound: 'The account that pays has no SOL on this network.',
  InsufficientFundsForFee: 'The account that pays has too little SOL for the fee.',
  BlockhashNotFound: 'The endpoint doesn’t know the blockhash any more. Try again.',
}

/** Finds a held account by its address. */
export function heldAt<T>(held: readonly Held<T>[] | null, address: string): Held<T> | undefined {
  return held?.find((one) => one.address === address)
}
