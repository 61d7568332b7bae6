import { type Address, getAddressDecoder } from '@solana/kit'
import type { Tables } from '@/lib/blob'
import { TABLE_HEAD, TABLE_PROGRAM, isTable } from '@/lib/programs'
import { fetchAll } from '@/lib/rpc'

const SIZE = 32

/** Returns the addresses of a lookup table's account; none for bytes that aren't one. */
export function addressesOf(data: Uint8Array): readonly Address[] {
  if (!isTable(data)) return []
  const count = Math.floor((data.length - TABLE_HEAD) / SIZE)
  return Array.from({ length: count }, (_, place) => getAddressDecoder().decode(data, TABLE_HEAD + place * SIZE))
}

/** Reads lookup tables from an RPC endpoint; one that isn't there, or is something else, is left out. Throws a `Failure`. */
export async function fetchTables(url: string, addresses: readonly string[], signal: AbortSignal): Promise<Tables> {
  const { found } = await fetchAll(url, addresses, signal)
  return new Map([...found].filter(([, { owner }]) => owner === TABLE_PROGRAM).map(([key, { data }]) => [key, addressesOf(data)]))
}
