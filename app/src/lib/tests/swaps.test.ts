import { readFileSync } from 'node:fs'
import { getBase58Decoder, getBase64Decoder } from '@solana/kit'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RAMPART_PROGRAM_ADDRESS } from '@/generated'
import { pastSwapsReader } from '@/lib/chain/pastSwaps'
import { loggedData, swapsOf } from '@/lib/chain/swaps'

const idl = JSON.parse(readFileSync('../artifacts/rampart.json', 'utf8')) as {
  events: { name: string; discriminator: number[] }[]
  types: { name: string; type: { fields?: { name: string; type: unknown }[] } }[]
}
const discriminator = idl.events.find(({ name }) => name === 'SwapExecuted')?.discriminator ?? []
const keys = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte))
const [policy = '', fromMint = '', toMint = ''] = keys.map((key) => getBase58Decoder().decode(key))
const amounts = [300_000_000_000n, 44_850_000_000n, 45_020_000_000n, 170_000_000n]
const bytes = new Uint8Array([...discriminator, ...keys.flatMap((key) => [...key]), ...amounts.flatMap((amount) => [...new Uint8Array(BigUint64Array.of(amount).buffer)])])
const data = getBase64Decoder().decode(bytes)
const ROUTE = 'SwaPpA9LAaLfeLi3a68M4DjnLqgtticKg6CnyNwgAC8'

const ours = [`Program ${RAMPART_PROGRAM_ADDRESS} invoke [1]`, 'Program log: Instruction: Rebalance', `Program ${ROUTE} invoke [2]`, `Program ${ROUTE} success`, `Program data: ${data}`, `Program ${RAMPART_PROGRAM_ADDRESS} success`]
const theirs = [`Program ${RAMPART_PROGRAM_ADDRESS} invoke [1]`, `Program ${ROUTE} invoke [2]`, `Program data: ${data}`, `Program ${ROUTE} success`, `Program ${RAMPART_PROGRAM_ADDRESS} success`]

describe('swapsOf', () => {
  it('reads the event as the IDL lays it out', () => {
    const fields = idl.types.find(({ name }) => name === 'SwapExecuted')?.type.fields ?? []
    expect(fields.map(({ name }) => name)).toEqual(['policy', 'from_mint', 'to_mint', 'spent_amount', 'received_amount', 'worth_micro_usd', 'loss_micro_usd'])
    expect(swapsOf(ours, policy)).toEqual([
      { policy, fromMint, toMint, spentAmount: amounts[0], receivedAmount: amounts[1], worthMicroUsd: amounts[2], lossMicroUsd: amounts[3] },
    ])
  })
  it('believes the guard’s program alone, and no other policy', () => {
    expect(loggedData(theirs)).toEqual([])
    expect(swapsOf(theirs, policy)).toEqual([])
    expect(swapsOf(ours, toMint)).toEqual([])
  })
})

describe('pastSwapsReader', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })
  it('asks for each landed transaction once, and counts those without logs', async () => {
    const asked: string[] = []
    const answers: Record<string, unknown> = {
      a: { blockTime: 1_700_000_000, meta: { logMessages: ours } },
      b: { blockTime: 1_699_999_999, meta: { logMessages: [...ours.slice(0, 2), 'Log truncated'] } },
      c: null,
    }
    vi.stubGlobal('fetch', (_: string, { body }: { body: string }) => {
      const { method, params } = JSON.parse(body) as { method: string; params: string[] }
      asked.push(`${method} ${params[0] ?? ''}`)
      const listed = [...Object.keys(answers).map((signature) => ({ signature, err: null })), { signature: 'd', err: { InstructionError: [0, 'Custom'] } }]
      const result = method === 'getSignaturesForAddress' ? listed : answers[params[0] ?? '']
      return Promise.resolve(Response.json({ jsonrpc: '2.0', id: 1, result }))
    })
    const read = pastSwapsReader('/rpc')
    const first = await read(policy, new AbortController().signal)
    expect(first.untold).toBe(2)
    expect(first.swaps.map(({ signature, ts, lossMicroUsd }) => [signature, ts, lossMicroUsd])).toEqual([['a', 1_700_000_000, 170_000_000n]])
    await read(policy, new AbortController().signal)
    const count = (what: string) => asked.filter((line) => line === what).length
    expect([count('getTransaction a'), count('getTransaction b'), count('getTransaction d')]).toEqual([1, 2, 0])
  })
})
