import { getAddressDecoder, getBase64Encoder, getStructDecoder, getU64Decoder } from '@solana/kit'
import { RAMPART_PROGRAM_ADDRESS } from '@/generated'

/** Discriminator of the event `SwapExecuted`; a test reads it from the IDL. */
const SWAP_EXECUTED = [150, 166, 26, 225, 28, 89, 38, 79]

const FIELDS = getStructDecoder([
  ['policy', getAddressDecoder()],
  ['fromMint', getAddressDecoder()],
  ['toMint', getAddressDecoder()],
  ['spentAmount', getU64Decoder()],
  ['receivedAmount', getU64Decoder()],
  ['worthMicroUsd', getU64Decoder()],
  ['lossMicroUsd', getU64Decoder()],
])

/** What the program said of a swap: amounts in base units, worth and loss in millionths of a US dollar. */
export type SwapFact = ReturnType<typeof FIELDS.decode>

/** A swap with the transaction that it was in. */
export interface Swap extends SwapFact {
  signature: string
  /** When its block was made, unix seconds; null where the endpoint doesn't know. */
  ts: number | null
}

/** Returns what the guard's program logged as data; what other programs of the transaction log says nothing. */
export function loggedData(logs: readonly string[]): Uint8Array[] {
  const running: string[] = []
  const found: Uint8Array[] = []
  for (const line of logs) {
    const [, begun] = /^Program (\w+) invoke \[\d+\]$/.exec(line) ?? []
    const [, data] = /^Program data: (\S+)/.exec(line) ?? []
    if (begun !== undefined) running.push(begun)
    else if (/^Program \w+ (success|failed)/.test(line)) running.pop()
    else if (data !== undefined && running.at(-1) === RAMPART_PROGRAM_ADDRESS) found.push(new Uint8Array(getBase64Encoder().encode(data)))
  }
  return found
}

/** Returns the swaps through a policy that a transaction's logs tell of. */
export function swapsOf(logs: readonly string[], policy: string): SwapFact[] {
  return loggedData(logs)
    .filter((data) => data.length >= SWAP_EXECUTED.length + FIELDS.fixedSize && SWAP_EXECUTED.every((byte, at) => data[at] === byte))
    .map((data) => FIELDS.decode(data, SWAP_EXECUTED.length))
    .filter((fact) => fact.policy === (policy as typeof fact.policy))
}
