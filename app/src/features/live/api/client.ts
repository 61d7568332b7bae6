import { env } from '@/config/env'
import { chainReader, listByRpc, positionsByRpc, rowsByRpc } from '@/features/live/api/rpc'
import { type Held, KINDS, type Kind, decodeAll } from '@/lib/accounts'
import type { Row } from '@/lib/chain/positions'
import { viewOfChain, windowSamples } from '@/lib/chain/view'
import { BadStatus, NoKeeper, NoRelay, Unreachable } from '@/lib/failure'
import { parse } from '@/lib/parse'
import { RawAccounts } from '@/lib/schema/accounts'
import { HistoryPage, type Kept } from '@/lib/schema/kept'
import { History, type Sample, View } from '@/lib/schema/view'

/** The endpoint and the guard of an app that stands alone; null where a keeper serves it. */
const alone = env.isAlone && env.guard !== null ? { rpc: env.rpc, guard: env.guard } : null
const WHO = alone === null ? undefined : 'The RPC endpoint'
const readChain = alone === null ? null : chainReader(alone.rpc, alone.guard)

async function getJson(path: string, signal: AbortSignal): Promise<unknown> {
  if (alone !== null) throw new NoKeeper()
  const limited = AbortSignal.any([signal, AbortSignal.timeout(env.requestMs)])
  const answer = await fetch(`${env.apiRoot}${path}`, { signal: limited, cache: 'no-store' }).catch((cause: unknown) => {
    throw new Unreachable('The keeper can’t be reached.', { cause })
  })
  if (!answer.ok) throw new BadStatus(answer.status)
  return answer.json().catch((): unknown => undefined)
}

/** Reads the state: the keeper's, or what the accounts tell where there is none. Throws a `Failure`. */
export async function fetchView(signal: AbortSignal): Promise<View> {
  if (readChain !== null) return viewOfChain(await readChain(signal))
  return parse(View, await getJson('/state', signal))
}

/** Reads an asset's price history, oldest first: the keeper's, or the asset's own window. Throws a `Failure`. */
export async function fetchHistory(asset: string, signal: AbortSignal): Promise<Sample[]> {
  if (alone !== null) {
    const assets = await fetchAccounts(KINDS.asset, signal)
    const held = assets.find(({ address }) => address === asset)
    return held === undefined ? [] : windowSamples(held.value)
  }
  return parse(History, await getJson(`/history?asset=${encodeURIComponent(asset)}`, signal)).samples
}

/** Lists the guard's accounts of one kind. Throws a `Failure`. */
export async function fetchAccounts<T extends { version: number }>(kind: Kind<T>, signal: AbortSignal): Promise<Held<T>[]> {
  const raw = alone !== null ? await listByRpc(alone.rpc, alone.guard, kind, signal) : await getJson(`/accounts?kind=${kind.name}`, signal)
  return decodeAll(kind, parse(RawAccounts, raw, WHO), WHO)
}

/** Reads an owner's positions in all vaults. Throws a `Failure`. */
export async function fetchPositions<T extends { version: number }>(kind: Kind<T>, owner: string, signal: AbortSignal): Promise<Held<T>[]> {
  const raw = alone !== null ? await positionsByRpc(alone.rpc, owner, signal) : await getJson(`/positions?owner=${encodeURIComponent(owner)}`, signal)
  return decodeAll(kind, parse(RawAccounts, raw, WHO), WHO)
}

/** Lists all positions of a vault; null where the keeper passes nothing on: it tells positions by owner alone. Throws a `Failure`. */
export async function fetchRows(vault: string, signal: AbortSignal): Promise<Row[] | null> {
  return rowsByRpc(env.rpc, vault, signal).catch((failure: unknown) => {
    if (failure instanceof NoRelay) return null
    throw failure
  })
}

/** Most pages of one reading of the history: a month of samples, one a minute. */
const MOST_PAGES = 100

/** Reads the kept history back to a moment, or as far as `MOST_PAGES` go. Throws a `Failure`; status 404 means that none is kept. */
export async function fetchKeptSince(kind: string, query: string, signal: AbortSignal): Promise<Kept[]> {
  const rows: Kept[] = []
  let cursor: string | null = null
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const from: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const answer = parse(HistoryPage, await getJson(`/history/${kind}${query}&limit=500${from}`, signal))
    rows.push(...answer.items)
    cursor = answer.next
    if (cursor === null) break
  }
  return rows
}

/** Reads the newest page of the kept history. Throws a `Failure`; status 404 means that none is kept. */
export async function fetchKept(kind: string, query: string, signal: AbortSignal): Promise<Kept[]> {
  return parse(HistoryPage, await getJson(`/history/${kind}${query}`, signal)).items
}
