import { env } from '@/config/env'
import { BadStatus, Unreachable } from '@/lib/failure'
import { parse } from '@/lib/parse'
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
