import { env } from '@/config/env'
import { type Polled, usePolled } from '@/features/live/api/usePolled'
import { type PastSwaps, pastSwapsReader } from '@/lib/chain/pastSwaps'
import { NoRelay } from '@/lib/failure'

const read = pastSwapsReader(env.rpc)

async function readAll(policies: readonly string[], signal: AbortSignal): Promise<PastSwaps> {
  const all: PastSwaps = { swaps: [], untold: 0 }
  for (const policy of policies) {
    const { swaps, untold } = await read(policy, signal)
    all.swaps.push(...swaps)
    all.untold += untold
  }
  all.swaps.sort((one, other) => (other.ts ?? 0) - (one.ts ?? 0))
  return all
}

/**
 * Returns the newest swaps through policies; `past` is null where the keeper passes nothing on. `counter` says how many
 * rebalances there were: a new one is read at once.
 */
export function useSwaps(policies: readonly string[], counter: bigint): Polled<{ past: PastSwaps | null }> {
  const key = policies.length === 0 ? null : `swaps ${policies.join(' ')} ${counter}`
  const ask = async (signal: AbortSignal) => ({
    past: await readAll(policies, signal).catch((failure: unknown) => {
      if (failure instanceof NoRelay) return null
      throw failure
    }),
  })
  return usePolled(key, ask, env.positionsMs)
}
