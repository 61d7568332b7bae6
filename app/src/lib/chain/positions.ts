import { type Address, getAddressDecoder, getStructDecoder, getU64Decoder } from '@solana/kit'
import { getU128Decoder } from '@/generated'
import { u128 } from '@/lib/accounts'

/** The part of a position's account that a list needs. */
export interface Row {
  /** Address of the position. */
  address: string
  vault: string
  owner: string
  /** Lent shares. */
  shares: bigint
  /** Debt divided by the vault's index. */
  debtScaled: bigint
  /** Collateral, base units. */
  collateral: bigint
}

/** Where that part lies in the account: it spares nine tenths of what would have to be read. */
export const SLICE = { offset: 8, length: 32 + 32 + 16 + 16 + 8 } as const

const decoder = getStructDecoder([
  ['vault', getAddressDecoder()],
  ['owner', getAddressDecoder()],
  ['shares', getU128Decoder()],
  ['debtScaled', getU128Decoder()],
  ['collateral', getU64Decoder()],
])

/** Reads the part of a position's account. */
export function rowOf(address: string, data: Uint8Array): Row {
  const read = decoder.decode(data)
  const text = (key: Address): string => key
  return { address, vault: text(read.vault), owner: text(read.owner), shares: u128(read.shares), debtScaled: u128(read.debtScaled), collateral: read.collateral }
}
