import type { Address, ReadonlyUint8Array } from '@solana/kit'
import * as generated from '@/generated'

/** Returns an address for a number: any 32 bytes are one. */
export function keyOf(number: number): Address {
  return generated.getKeeperMemberDecoder().decode(new Uint8Array(generated.getKeeperMemberEncoder().fixedSize).fill(number)).key
}

interface Layout<T> {
  decode: (bytes: ReadonlyUint8Array) => T
}

/** Returns an account of zeros with some fields set. */
export function accountOf<T extends object>(decoder: Layout<T>, size: number, fields: Partial<T> = {}): T {
  return { ...decoder.decode(new Uint8Array(size)), ...fields }
}

/** Returns a 128-bit number as it is stored. */
export const stored = (value: bigint) => ({ lo: value & ((1n << 64n) - 1n), hi: value >> 64n })

/** Accounts of zeros, by kind. */
export const empty = {
  guard: (fields?: Partial<generated.Guard>) => accountOf(generated.getGuardDecoder(), generated.getGuardSize(), fields),
  vault: (fields?: Partial<generated.Vault>) => accountOf(generated.getVaultDecoder(), generated.getVaultSize(), fields),
  asset: (fields?: Partial<generated.Asset>) => accountOf(generated.getAssetDecoder(), generated.getAssetSize(), fields),
  group: (fields?: Partial<generated.RuleGroup>) => accountOf(generated.getRuleGroupDecoder(), generated.getRuleGroupSize(), fields),
  rule: (fields?: Partial<generated.Rule>) => accountOf(generated.getRuleDecoder(), generated.getRuleSize(), fields),
  change: (fields?: Partial<generated.PendingChange>) => accountOf(generated.getPendingChangeDecoder(), generated.getPendingChangeSize(), fields),
  position: (fields?: Partial<generated.Position>) => accountOf(generated.getPositionDecoder(), generated.getPositionSize(), fields),
  keeperSet: (fields?: Partial<generated.KeeperSet>) => accountOf(generated.getKeeperSetDecoder(), generated.getKeeperSetSize(), fields),
  report: (fields?: Partial<generated.Report>) => accountOf(generated.getReportDecoder(), generated.getReportSize(), fields),
  aggregate: (fields?: Partial<generated.AggregateLimit>) => accountOf(generated.getAggregateLimitDecoder(), generated.getAggregateLimitSize(), fields),
  integration: (fields?: Partial<generated.Integration>) => accountOf(generated.getIntegrationDecoder(), generated.getIntegrationSize(), fields),
  policy: (fields?: Partial<generated.SwapPolicy>) => accountOf(generated.getSwapPolicyDecoder(), generated.getSwapPolicySize(), fields),
  reserve: (fields?: Partial<generated.Reserve>) => accountOf(generated.getReserveDecoder(), generated.getReserveSize(), fields),
}
