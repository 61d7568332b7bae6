import { getAddressEncoder, getBase58Decoder, address } from '@solana/kit'
import { env } from '@/config/env'
import { RAMPART_PROGRAM_ADDRESS } from '@/generated'
import type { Kind } from '@/lib/accounts'
import { BadStatus, Unreachable } from '@/lib/failure'
import { parse } from '@/lib/parse'
import { RpcAnswer } from '@/lib/schema/accounts'
import * as v from 'valibot'

/** Where the first field of every account of the program starts: the guard's address. */
const PARENT_OFFSET = 8

const Keyed = v.object({ pubkey: v.string(), account: v.object({ data: v.tuple([v.string(), v.literal('base64')]) }) })

async function ask(url: string, method: string, params: unknown[], signal: AbortSignal): Promise<v.InferOutput<typeof RpcAnswer>> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(env.requestMs)])
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body, signal: limited }).catch((cause: unknown) => {
    throw new Unreachable('The RPC endpoint can’t be reached.', { cause })
  })
  if (!answer.ok) throw new BadStatus(answer.status)
  return parse(RpcAnswer, await answer.json().catch((): unknown => undefined))
}

/** Lists a guard's accounts of one kind from an RPC endpoint, in the form of the keeper's `/accounts`. */
export async function listByRpc(url: string, guard: string, kind: Kind<unknown>, signal: AbortSignal): Promise<unknown> {
  const base58 = getBase58Decoder()
  const start = { offset: 0, bytes: base58.decode(kind.discriminator) }
  const parent = { offset: PARENT_OFFSET, bytes: base58.decode(getAddressEncoder().encode(address(guard))) }
  const filters = [{ memcmp: start }, ...(kind.name === 'guard' ? [] : [{ memcmp: parent }])]
  const config = { encoding: 'base64', commitment: 'confirmed', withContext: true, filters }
  const { result } = await ask(url, 'getProgramAccounts', [RAMPART_PROGRAM_ADDRESS, config], signal)
  const found = result.value.map((account) => parse(Keyed, account))
  const accounts = found
    .filter(({ pubkey }) => kind.name !== 'guard' || pubkey === guard)
    .map(({ pubkey, account }) => ({ address: pubkey, data: account.data[0] }))
  return { schema: 1, slot: result.context.slot, accounts }
}
