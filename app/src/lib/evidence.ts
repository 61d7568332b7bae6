import { type Address, address } from '@solana/kit'
import { type OracleSet, type OracleSource, type PendingChange, type Vault, getOracleSetDecoder, getStandbySetDecoder } from '@/generated'
import { type Held, u128 } from '@/lib/accounts'
import { type Targets, leavesOf } from '@/lib/change'
import type { Row } from '@/lib/chain/positions'

/** What the effect of a change is tried on: accounts in the program's order, or what of it isn't to be had here. */
export type Evidence = { accounts: Address[] } | { missing: string }

const CLOCK = address('SysvarC1ock11111111111111111111111111111111')
/** Pin of a source to its account; a feed's account is whoever executes the change's choice. */
const BY_ACCOUNT = 1
/** An exchange rate that isn't in use; anything else counts as one. Source: `RateKind::Unrated`. */
const UNRATED = 1
/** Most positions of a sample. Source: `MAX_SAMPLE`. */
const MAX_SAMPLE = 8

class Missing extends Error {}

const active = ({ count, sources }: { count: number; sources: readonly OracleSource[] }): readonly OracleSource[] => sources.slice(0, count)

function accountOf({ pin, account }: OracleSource): Address {
  if (pin !== BY_ACCOUNT) throw new Missing('A price source is pinned to a feed, and no account of it is known here: name one with a client.')
  return account
}

/** Accounts that a set of sources is read from. Source: `OracleSet::account_count`, `read_accounts`. */
function ofSources(sources: readonly OracleSource[], { rate }: Pick<OracleSet, 'rate'>): Address[] {
  return [...sources.map(accountOf), ...(rate.kind === UNRATED ? [] : [rate.account, CLOCK])]
}

const ofSet = (set: OracleSet): Address[] => ofSources(active(set), set)

function setOf(targets: Targets, asset: string): OracleSet {
  const held = targets.assets.find((one) => one.address === asset)
  if (held === undefined) throw new Missing('The asset’s account isn’t read yet.')
  return held.value.oracle
}

/** The positions that are nearest to liquidation: debt against collateral, whatever the price. */
export function sampleOf(rows: readonly Row[]): Row[] {
  const owing = rows.filter(({ debtScaled }) => debtScaled > 0n)
  // a / b against c / d, in whole numbers; without collateral first
  const isNearer = (a: Row, b: Row) => b.debtScaled * a.collateral - a.debtScaled * b.collateral
  return owing.sort((a, b) => (isNearer(a, b) < 0n ? -1 : isNearer(a, b) > 0n ? 1 : 0)).slice(0, MAX_SAMPLE)
}

/** Positions of a vault: null where nobody lists them, undefined while they aren't read. */
export type Rows = readonly Row[] | null | undefined

function ofLines(vault: Vault, targets: Targets, rows: Rows): Address[] {
  // without a debt nobody's health can move
  if (u128(vault.debtScaled) === 0n) return []
  if (rows === undefined) throw new Missing('The vault’s positions aren’t read yet: a sample of them is what the change is tried on.')
  if (rows === null) throw new Missing('A sample of the vault’s positions is missing: the keeper that serves this page passes nothing on to the chain (its setting `http.relay`).')
  const sample = sampleOf(rows)
  if (sample.length === 0) throw new Missing('No position with a debt was found in the vault, though the vault has one. Try again.')
  const { collateralAsset, loanAsset } = vault
  return [collateralAsset, loanAsset, ...ofSet(setOf(targets, collateralAsset)), ...ofSet(setOf(targets, loanAsset)), ...sample.map((row) => address(row.address))]
}

const same = (a: OracleSource, b: OracleSource): boolean => JSON.stringify(leavesOf(a), spelled) === JSON.stringify(leavesOf(b), spelled)
const spelled = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

function gathered({ value: change }: Held<PendingChange>, targets: Targets, rows: Rows): Address[] {
  switch (change.group) {
    case 1: {
      const vault = targets.vaults.find((held) => held.address === (change.target as string))
      if (vault === undefined) throw new Missing('The vault’s account isn’t read yet.')
      return ofLines(vault.value, targets, rows)
    }
    case 5:
      return [...ofSet(setOf(targets, change.target)), ...ofSet(getOracleSetDecoder().decode(change.next))]
    case 12: {
      const asset = targets.assets.find((held) => held.address === (change.target as string))?.value
      if (asset === undefined) throw new Missing('The asset’s account isn’t read yet.')
      const fresh = active(getStandbySetDecoder().decode(change.next)).filter((source) => !active(asset.standby).some((known) => same(known, source)))
      return fresh.length === 0 ? [] : [...ofSet(asset.oracle), ...fresh.flatMap((source) => ofSources([source], asset.oracle))]
    }
    case 14:
      throw new Missing('The program of what is held, and the account that it goes to, aren’t known here. Execute it with a client that names them.')
    default:
      return []
  }
}

/** Gathers what the effect of a change is tried on at its execution. Source: `effect::require_bounded`. */
export function evidenceOf(change: Held<PendingChange>, targets: Targets, rows: Rows): Evidence {
  try {
    return { accounts: gathered(change, targets, rows) }
  } catch (error) {
    if (error instanceof Missing) return { missing: error.message }
    throw error
  }
}
