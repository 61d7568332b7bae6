import type { Decoder, ReadonlyUint8Array } from '@solana/kit'
import { BadShape } from '@/lib/failure'
import type { RawAccounts } from '@/lib/schema/accounts'
import * as generated from '@/generated'

/** A decoded account with its address. */
export interface Held<T> {
  /** Its address. */
  address: string
  /** What it holds. */
  value: T
}

/** How accounts of one kind start, and how they are read. */
export interface Kind<T> {
  /** Its name in the keeper's API. */
  name: string
  /** First eight bytes. */
  discriminator: ReadonlyUint8Array
  /** Reads the whole account. */
  decoder: Decoder<T>
}

const kind = <T>(name: string, discriminator: ReadonlyUint8Array, decoder: Decoder<T>): Kind<T> => ({ name, discriminator, decoder })

/** Kinds that the app reads, by the generated client. */
export const KINDS = {
  guard: kind('guard', generated.GUARD_DISCRIMINATOR, generated.getGuardDecoder()),
  asset: kind('asset', generated.ASSET_DISCRIMINATOR, generated.getAssetDecoder()),
  vault: kind('vault', generated.VAULT_DISCRIMINATOR, generated.getVaultDecoder()),
  rule: kind('rule', generated.RULE_DISCRIMINATOR, generated.getRuleDecoder()),
  group: kind('rule_group', generated.RULE_GROUP_DISCRIMINATOR, generated.getRuleGroupDecoder()),
  change: kind('pending_change', generated.PENDING_CHANGE_DISCRIMINATOR, generated.getPendingChangeDecoder()),
  keeperSet: kind('keeper_set', generated.KEEPER_SET_DISCRIMINATOR, generated.getKeeperSetDecoder()),
  report: kind('report', generated.REPORT_DISCRIMINATOR, generated.getReportDecoder()),
  reserve: kind('reserve', generated.RESERVE_DISCRIMINATOR, generated.getReserveDecoder()),
  policy: kind('swap_policy', generated.SWAP_POLICY_DISCRIMINATOR, generated.getSwapPolicyDecoder()),
  aggregate: kind('aggregate_limit', generated.AGGREGATE_LIMIT_DISCRIMINATOR, generated.getAggregateLimitDecoder()),
  integration: kind('integration', generated.INTEGRATION_DISCRIMINATOR, generated.getIntegrationDecoder()),
  position: kind('position', generated.POSITION_DISCRIMINATOR, generated.getPositionDecoder()),
}

/** Layout version that this client reads. Accounts of another one are refused, not guessed at. */
const LAYOUT_VERSION = 1

/** Decodes accounts of one kind. Throws `BadShape` for bytes that are something else; `who` sent them. */
export function decodeAll<T extends { version: number }>({ name, discriminator, decoder }: Kind<T>, raw: RawAccounts, who?: string): Held<T>[] {
  return raw.accounts.map(({ address, data }) => {
    if (!discriminator.every((byte, at) => data[at] === byte)) throw new BadShape(`${name} ${address} (another account)`, who)
    const value = decoded(name, address, data, decoder, who)
    if (value.version !== LAYOUT_VERSION) throw new BadShape(`${name} ${address} (layout version ${value.version})`, who)
    return { address, value }
  })
}

function decoded<T>(name: string, address: string, data: Uint8Array, decoder: Decoder<T>, who?: string): T {
  try {
    return decoder.decode(data)
  } catch (cause) {
    throw Object.assign(new BadShape(`${name} ${address} (too short)`, who), { cause })
  }
}

/** Returns a 128-bit number of the program. */
export function u128({ lo, hi }: { lo: bigint; hi: bigint }): bigint {
  return (hi << 64n) | lo
}
