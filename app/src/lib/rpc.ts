import * as v from 'valibot'
import { env } from '@/config/env'
import type { Stored } from '@/lib/chain/oracle'
import { BadStatus, NoRelay, Unreachable } from '@/lib/failure'
import { parse } from '@/lib/parse'
import { Base64 } from '@/lib/schema/accounts'
import { Count } from '@/lib/schema/parts'

/** Who answers, as it is called in failures. */
export const WHO = 'The RPC endpoint'
/** Most accounts of one question. */
const MOST = 100

/** How accounts are asked for. */
export const COMMITMENT = { encoding: 'base64', commitment: 'confirmed', withContext: true }

/** Data of an account: base64 in the first place. */
export const Data = v.pipe(v.tuple([v.string(), v.literal('base64')]), v.transform(([data]) => data))
/** An answer with the slot that it is of. */
export const Answer = <const S extends v.GenericSchema>(value: S) => v.object({ context: v.object({ slot: Count }), value })
const Fetched = Answer(v.array(v.nullable(v.object({ owner: v.string(), data: v.pipe(Data, Base64) }))))

/** An endpoint's refusal of a question. */
const Refusal = v.object({ error: v.object({ message: v.string() }) })

/** Asks an RPC endpoint and parses its result. Throws a `Failure`. */
export async function ask<const S extends v.GenericSchema>(url: string, method: string, params: unknown[], schema: S, signal: AbortSignal): Promise<v.InferOutput<S>> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(env.rpcMs)])
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body, signal: limited }).catch((cause: unknown) => {
    throw new Unreachable(`${WHO} can’t be reached.`, { cause })
  })
  if (answer.status === 404 && url === env.relay) throw new NoRelay()
  if (!answer.ok) throw new BadStatus(answer.status, WHO)
  const said: unknown = await answer.json().catch((): unknown => undefined)
  const refused = v.safeParse(Refusal, said)
  if (refused.success) throw new Unreachable(`${WHO} refuses: ${refused.output.error.message}`)
  return parse(v.object({ result: schema }), said, WHO).result
}

/** Fetches accounts by address; an absent one isn't in the answer. */
export async function fetchAll(url: string, addresses: readonly string[], signal: AbortSignal): Promise<{ slot: number; found: Map<string, Exclude<Stored, null>> }> {
  const found = new Map<string, Exclude<Stored, null>>()
  let slot = 0
  for (let from = 0; from < addresses.length; from += MOST) {
    const part = addresses.slice(from, from + MOST)
    const { context, value } = await ask(url, 'getMultipleAccounts', [part, COMMITMENT], Fetched, signal)
    slot = context.slot
    value.forEach((account, index) => {
      const key = part[index]
      if (account !== null && key !== undefined) found.set(key, account)
    })
  }
  return { slot, found }
}
