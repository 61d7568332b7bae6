import { env } from '@/config/env'
import { listByRpc } from '@/features/live/api/rpc'
import { type Held, type Kind, decodeAll } from '@/lib/accounts'
import { BadStatus, Unreachable } from '@/lib/failure'
import { parse } from '@/lib/parse'
import { RawAccounts } from '@/lib/schema/accounts'
import { HistoryPage, type Kept } from '@/lib/schema/kept'
import { History, type Sample, View } from '@/lib/schema/view'

async function getJson(path: string, signal: AbortSignal): Promise<unknown> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(env.requestMs)])
  const answer = await fetch(`${env.apiRoot}${path}`, { signal: limited, cache: 'no-store' }).catch((cause: unknown) => {
    throw new Unreachable('The keeper can’t be reached.', { cause })
  })
  if (!answer.ok) throw new BadStatus(answer.status)
  return answer.json().catch((): unknown => undefined)
}

/** Reads the keeper's state. Throws a `Failure`. */
export async function fetchView(signal: AbortSignal): Promise<View> {
  return parse(View, await getJson('/state', signal))
}

/** Reads an asset's price history, oldest first. Throws a `Failure`. */
export async function fetchHistory(asset: string, signal: AbortSignal): Promise<Sample[]> {
  const answer = await getJson(`/history?asset=${encodeURIComponent(asset)}`, signal)
  return parse(History, answer).samples
}

/** Lists the guard's accounts of one kind. Throws a `Failure`. */
export async function fetchAccounts<T extends { version: number }>(kind: Kind<T>, signal: AbortSignal): Promise<Held<T>[]> {
  const { rpc, guard } = env
  const isAlone = rpc !== null && guard !== null
  const raw = isAlone ? await listByRpc(rpc, guard, kind, signal) : await getJson(`/accounts?kind=${kind.name}`, signal)
  return decodeAll(kind, parse(RawAccounts, raw))
}

/** Reads an owner's positions in all vaults. Throws a `Failure`. */
export async function fetchPositions<T extends { version: number }>(kind: Kind<T>, owner: string, signal: AbortSignal): Promise<Held<T>[]> {
  const answer = await getJson(`/positions?owner=${encodeURIComponent(owner)}`, signal)
  return decodeAll(kind, parse(RawAccounts, answer))
}

/** Reads the newest page of the kept history. Throws a `Failure`; status 404 means that none is kept. */
export async function fetchKept(kind: string, query: string, signal: AbortSignal): Promise<Kept[]> {
  return parse(HistoryPage, await getJson(`/history/${kind}${query}`, signal)).items
}
