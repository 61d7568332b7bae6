import { env } from '@/config/env'
import { fetchAccounts, fetchKept, fetchPositions, fetchRows } from '@/features/live/api/client'
import { type Polled, usePolled } from '@/features/live/api/usePolled'
import { type Held, KINDS, type Kind } from '@/lib/accounts'
import type { Position } from '@/generated'
import type { Row } from '@/lib/chain/positions'
import type { Kept } from '@/lib/schema/kept'

/** Returns the guard's accounts of one kind, kept fresh. */
export function useAccounts<T extends { version: number }>(kind: Kind<T>): Polled<Held<T>[]> {
  return usePolled(kind.name, (signal) => fetchAccounts(kind, signal))
}

/** Returns an owner's positions, kept fresh; nothing is asked without an owner. */
export function usePositions(owner: string | null): Polled<Held<Position>[]> {
  return usePolled(owner === null ? null : `positions ${owner}`, (signal) => fetchPositions(KINDS.position, owner ?? '', signal))
}

/** Returns all positions of a vault, kept fresh; `null` as the value of an answer means that nobody lists them. */
export function useRows(vault: string): Polled<{ rows: Row[] | null }> {
  return usePolled(`rows ${vault}`, async (signal) => ({ rows: await fetchRows(vault, signal) }), env.positionsMs)
}

/** Returns a page of the kept history, kept fresh. */
export function useKept(kind: string, query = ''): Polled<Kept[]> {
  return usePolled(`${kind}${query}`, (signal) => fetchKept(kind, query, signal))
}
