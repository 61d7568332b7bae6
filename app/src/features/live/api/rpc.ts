import { type ReadonlyUint8Array, address, getAddressEncoder, getBase58Decoder } from '@solana/kit'
import * as v from 'valibot'
import { env } from '@/config/env'
import { POSITION_DISCRIMINATOR, RAMPART_PROGRAM_ADDRESS } from '@/generated'
import { type Held, KINDS, type Kind, decodeAll } from '@/lib/accounts'
import { type Row, SLICE, rowOf } from '@/lib/chain/positions'
import { type Chain, oraclesOf } from '@/lib/chain/view'
import { Unreachable } from '@/lib/failure'
import { parse } from '@/lib/parse'
import { Answer, COMMITMENT, Data, WHO, ask, fetchAll } from '@/lib/rpc'
import { RawAccounts } from '@/lib/schema/accounts'

/** Where the first field of every account of the program starts: the guard's address, or a position's vault. */
const PARENT_OFFSET = 8
const OWNER_OFFSET = 40
/** The clock that every instruction reads, and where its unix time is. */
const CLOCK = { address: 'SysvarC1ock11111111111111111111111111111111', unixTs: 32 }

const Keyed = v.object({ pubkey: v.string(), account: v.object({ data: Data }) })
const Listed = Answer(v.array(Keyed))

const at = (offset: number, bytes: ReadonlyUint8Array) => ({ memcmp: { offset, bytes: getBase58Decoder().decode(bytes) } })
const keyAt = (offset: number, key: string) => at(offset, getAddressEncoder().encode(address(key)))

/** Lists a guard's accounts of one kind from an RPC endpoint, in the form of the keeper's `/accounts`. */
export async function listByRpc(url: string, guard: string, kind: Kind<unknown>, signal: AbortSignal): Promise<unknown> {
  if (kind.name === 'guard') {
    const { slot, found } = await fetchAll(url, [guard], signal)
    const stored = found.get(guard) ?? null
    return { schema: 1, slot, accounts: stored === null ? [] : [{ address: guard, data: btoa(Array.from(stored.data, (byte) => String.fromCharCode(byte)).join('')) }] }
  }
  return list(url, [at(0, kind.discriminator), keyAt(PARENT_OFFSET, guard)], signal)
}

async function list(url: string, filters: object[], signal: AbortSignal, more: object = {}): Promise<{ schema: 1; slot: number; accounts: { address: string; data: string }[] }> {
  const { context, value } = await ask(url, 'getProgramAccounts', [RAMPART_PROGRAM_ADDRESS, { ...COMMITMENT, ...more, filters }], Listed, signal)
  return { schema: 1, slot: context.slot, accounts: value.map(({ pubkey, account }) => ({ address: pubkey, data: account.data })) }
}

/** Lists an owner's positions, in the form of the keeper's `/positions`. */
export function positionsByRpc(url: string, owner: string, signal: AbortSignal): Promise<unknown> {
  return list(url, [at(0, POSITION_DISCRIMINATOR), keyAt(OWNER_OFFSET, owner)], signal)
}

/** Lists all positions of a vault, of each what a list needs. */
export async function rowsByRpc(url: string, vault: string, signal: AbortSignal): Promise<Row[]> {
  const raw = await list(url, [at(0, POSITION_DISCRIMINATOR), keyAt(PARENT_OFFSET, vault)], signal, { dataSlice: SLICE })
  return parse(RawAccounts, raw, WHO).accounts.map((found) => rowOf(found.address, found.data))
}

async function kept<T extends { version: number }>(url: string, guard: string, kind: Kind<T>, signal: AbortSignal): Promise<Held<T>[]> {
  return decodeAll(kind, parse(RawAccounts, await listByRpc(url, guard, kind, signal), WHO), WHO)
}

/** Positions are many: they are read less often than the rest. */
interface KeptRows {
  atMs: number
  rows: Row[]
}

/** Reads all that a page without a keeper shows. */
export function chainReader(url: string, guard: string): (signal: AbortSignal) => Promise<Chain> {
  let known: KeptRows | null = null
  return async (signal) => {
    const [guards, assets, vaults, rules, groups] = await Promise.all([
      kept(url, guard, KINDS.guard, signal),
      kept(url, guard, KINDS.asset, signal),
      kept(url, guard, KINDS.vault, signal),
      kept(url, guard, KINDS.rule, signal),
      kept(url, guard, KINDS.group, signal),
    ])
    const [held] = guards
    if (held === undefined) throw new Unreachable(`${WHO} knows no guard at ${guard}.`)
    if (known === null || Date.now() - known.atMs > env.positionsMs) {
      // Without them all else is still worth showing.
      const all = await Promise.all(vaults.map((vault) => rowsByRpc(url, vault.address, signal))).catch((): null => null)
      if (all !== null) known = { atMs: Date.now(), rows: all.flat() }
    }
    const { slot, found } = await fetchAll(url, [CLOCK.address, ...oraclesOf(assets)], signal)
    const clock = found.get(CLOCK.address)?.data
    if (clock === undefined || clock.length < CLOCK.unixTs + 8) throw new Unreachable(`${WHO} doesn’t tell the chain’s time.`)
    const nowTs = Number(new DataView(clock.buffer, clock.byteOffset).getBigInt64(CLOCK.unixTs, true))
    return { slot, nowTs, guard: held, assets, vaults, rules, groups, positions: known?.rows ?? null, oracles: found, labels: env.labels }
  }
}
