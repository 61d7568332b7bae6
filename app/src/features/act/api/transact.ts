import {
  type Address,
  type Blockhash,
  type Instruction,
  address,
  appendTransactionMessageInstructions,
  compileTransaction,
  createTransactionMessage,
  getBase58Decoder,
  getBase64Decoder,
  getBase64EncodedWireTransaction,
  getTransactionEncoder,
  isWritableRole,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
} from '@solana/kit'
import * as v from 'valibot'
import { env } from '@/config/env'
import { type Effect, effectOf, failureText } from '@/lib/act/effect'
import { type Wallet, type WalletAccount, chainOf } from '@/lib/act/wallet'
import { Unreachable } from '@/lib/failure'
import { ask, fetchAll } from '@/lib/rpc'
import { Base64 } from '@/lib/schema/accounts'
import { Amount, Count } from '@/lib/schema/parts'

/** What a transaction would do, had it been sent now. */
export interface Simulated {
  /** Why it would fail; null where it wouldn't. */
  failure: string | null
  /** What it would do to the accounts that the app can read. */
  effects: Effect[]
  /** Compute units that it would take. */
  units: number
}

const LatestHash = v.object({ value: v.object({ blockhash: v.string(), lastValidBlockHeight: Amount }) })
const Simulation = v.object({
  value: v.object({
    err: v.unknown(),
    logs: v.nullable(v.array(v.string())),
    unitsConsumed: v.optional(Count, 0),
    accounts: v.optional(v.nullable(v.array(v.nullable(v.object({ data: v.pipe(v.tuple([v.string(), v.string()]), v.transform(([data]) => data), Base64) }))))),
  }),
})
const Statuses = v.object({ value: v.tuple([v.nullable(v.object({ err: v.unknown(), confirmationStatus: v.optional(v.nullable(v.string())) }))]) })

async function compiled(instructions: readonly Instruction[], payer: string, signal: AbortSignal) {
  const { value } = await ask(env.rpc, 'getLatestBlockhash', [{ commitment: 'confirmed' }], LatestHash, signal)
  const lifetime = { blockhash: value.blockhash as Blockhash, lastValidBlockHeight: value.lastValidBlockHeight }
  const message = pipe(
    createTransactionMessage({ version: 'legacy' }),
    (m) => setTransactionMessageFeePayer(address(payer), m),
    (m) => setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
    (m) => appendTransactionMessageInstructions(instructions, m),
  )
  return compileTransaction(message)
}

const writtenBy = (instructions: readonly Instruction[]): Address[] => [
  ...new Set(instructions.flatMap(({ accounts }) => (accounts ?? []).filter(({ role }) => isWritableRole(role)).map((meta) => meta.address))),
]

/** Simulates instructions and compares the accounts that they write with those that are. Throws a `Failure`. */
export async function simulate(instructions: readonly Instruction[], payer: string, signal: AbortSignal): Promise<Simulated> {
  const wire = getBase64EncodedWireTransaction(await compiled(instructions, payer, signal))
  const addresses = writtenBy(instructions)
  const { found } = await fetchAll(env.rpc, addresses, signal)
  const config = { encoding: 'base64', commitment: 'confirmed', sigVerify: false, replaceRecentBlockhash: true, accounts: { encoding: 'base64', addresses } }
  const { value } = await ask(env.rpc, 'simulateTransaction', [wire, config], Simulation, signal)
  if (value.err !== null && value.err !== undefined) return { failure: failureText(value.err, value.logs ?? []), effects: [], units: value.unitsConsumed }
  const after = value.accounts ?? []
  const effects = addresses.flatMap((key, index) => effectOf(key, found.get(key)?.data ?? null, after[index]?.data ?? null) ?? [])
  return { failure: null, effects, units: value.unitsConsumed }
}

/** What became of a transaction that was sent. */
export interface Sent {
  signature: string
  /** Why it failed; null where it landed. */
  failure: string | null
}

const [ASKS, PAUSE_MS] = [60, 1_000]

async function landing(signature: string, signal: AbortSignal): Promise<Sent> {
  for (let asked = 0; asked < ASKS; asked += 1) {
    const { value } = await ask(env.rpc, 'getSignatureStatuses', [[signature]], Statuses, signal)
    const [status] = value
    if (status !== null && status.err !== null && status.err !== undefined) return { signature, failure: failureText(status.err, []) }
    if (status !== null && status.confirmationStatus !== 'processed') return { signature, failure: null }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  throw new Unreachable(`It isn’t known what became of ${signature}: ask an explorer before you sign again.`)
}

/** Signs with a wallet, sends, and waits for what becomes of it. Throws a `Failure`, or the wallet's own error. */
export async function signAndSend(instructions: readonly Instruction[], wallet: Wallet, account: WalletAccount, signal: AbortSignal): Promise<Sent> {
  const chain = chainOf(await ask(env.rpc, 'getGenesisHash', [], v.string(), signal))
  const transaction = new Uint8Array(getTransactionEncoder().encode(await compiled(instructions, account.address, signal)))
  if (wallet.sign !== null) {
    const signed = await wallet.sign(account, transaction, chain)
    const wire = getBase64Decoder().decode(signed)
    const signature = await ask(env.rpc, 'sendTransaction', [wire, { encoding: 'base64', preflightCommitment: 'confirmed' }], v.string(), signal)
    return landing(signature, signal)
  }
  if (wallet.signAndSend === null) throw new Unreachable('This wallet signs no transactions.')
  return landing(getBase58Decoder().decode(await wallet.signAndSend(account, transaction, chain)), signal)
}
