/** What an explorer calls the public clusters, by the hash of their first block. */
const CLUSTERS: Record<string, string> = {
  '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d': '',
  EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG: '?cluster=devnet',
  '4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY': '?cluster=testnet',
}

function urlOf(genesis: string | null, path: string): string | null {
  const query = genesis === null ? undefined : CLUSTERS[genesis]
  return query === undefined ? null : `https://explorer.solana.com/${path}${query}`
}

/** Returns where a transaction can be looked up; null on a chain that no public explorer shows. */
export const transactionUrl = (genesis: string | null, signature: string): string | null => urlOf(genesis, `tx/${encodeURIComponent(signature)}`)

/** Returns where an account can be looked up; null on a chain that no public explorer shows. */
export const accountUrl = (genesis: string | null, address: string): string | null => urlOf(genesis, `address/${encodeURIComponent(address)}`)
