import * as v from 'valibot'
import { env } from '@/config/env'
import { usePolled } from '@/features/live/api/usePolled'
import { ask } from '@/lib/rpc'

/** A chain keeps its first block: asked again only in case nobody answered. */
const EVERY_MS = 600_000

/** Returns the hash of the chain's first block; null until an endpoint told it, and where the keeper passes nothing on. */
export function useGenesis(): string | null {
  return usePolled('genesis', (signal) => ask(env.rpc, 'getGenesisHash', [], v.string(), signal), EVERY_MS).value
}
