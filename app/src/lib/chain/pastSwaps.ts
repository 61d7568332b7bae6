import * as v from 'valibot'
import { type Swap, swapsOf } from '@/lib/chain/swaps'
import { ask } from '@/lib/rpc'
import { Count, maybe } from '@/lib/schema/parts'

/** Transactions that are looked at, newest first. */
const MOST = 25

const Listed = v.array(v.object({ signature: v.string(), err: v.unknown() }))
const Landed = v.nullable(v.object({ blockTime: maybe(Count), meta: v.nullable(v.object({ logMessages: maybe(v.array(v.string())) })) }))

/** What a policy's newest transactions tell. */
export interface PastSwaps {
  /** Newest first. */
  swaps: Swap[]
  /** Transactions whose logs the endpoint doesn't have, or that were cut off. */
  untold: number
}

/** Reads the swaps in a policy's newest transactions. What landed doesn't change: each is asked for once. */
export function pastSwapsReader(url: string): (policy: string, signal: AbortSignal) => Promise<PastSwaps> {
  const known = new Map<string, Swap[]>()
  return async (policy, signal) => {
    const listed = await ask(url, 'getSignaturesForAddress', [policy, { limit: MOST, commitment: 'confirmed' }], Listed, signal)
    const landed = listed.filter(({ err }) => err === null)
    let untold = 0
    // one after the other: an endpoint limits how many questions it takes at once
    for (const { signature } of landed) {
      if (known.has(signature)) continue
      const asked = { encoding: 'json', commitment: 'confirmed', maxSupportedTransactionVersion: 1 }
      const told = await ask(url, 'getTransaction', [signature, asked], Landed, signal)
      const logs = told?.meta?.logMessages ?? null
      if (told === null || logs === null || logs.includes('Log truncated')) untold += 1
      else known.set(signature, swapsOf(logs, policy).map((fact) => ({ ...fact, signature, ts: told.blockTime })))
    }
    return { swaps: landed.flatMap(({ signature }) => known.get(signature) ?? []), untold }
  }
}
