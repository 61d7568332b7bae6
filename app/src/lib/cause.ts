import { type Level, below } from '@/lib/level'
import type { Cause, Vault, View } from '@/lib/schema/view'

/** A cause with the scope that holds it. */
export interface HeldCause extends Cause {
  /** Name of the guard, asset or vault. */
  scope: string
}

const held = (causes: readonly Cause[], scope: string): HeldCause[] => causes.map((cause) => ({ ...cause, scope }))

/** Removes causes that two lists share: a keeper may list an inherited cause with the vault as well. */
function distinct(causes: HeldCause[]): HeldCause[] {
  const seen = new Set<string>()
  return causes.filter(({ rule, tripped_at_ts }) => {
    const key = `${rule}:${tripped_at_ts}`
    return !seen.has(key) && seen.add(key)
  })
}

/** Strictest first, then the one that lasts longest. */
const byStrictness = (a: HeldCause, b: HeldCause): number => b.level - a.level || b.expires_at_ts - a.expires_at_ts

/** Returns all causes behind a vault's level: its guard's, its assets' and its own, strictest first. */
export function causesOfVault(view: View, vault: Vault): HeldCause[] {
  const assets = view.assets.filter(({ address }) => address === vault.collateral_asset || address === vault.loan_asset)
  const all = [
    ...held(view.guard.causes, 'the guard'),
    ...assets.flatMap((asset) => held(asset.causes, asset.symbol)),
    ...held(vault.causes, vault.name),
  ]
  return distinct(all).sort(byStrictness)
}

/** Returns all causes of a view, each once, strictest first. */
export function allCauses(view: View): HeldCause[] {
  const all = [
    ...held(view.guard.causes, 'the guard'),
    ...view.assets.flatMap((asset) => held(asset.causes, asset.symbol)),
    ...view.vaults.flatMap((vault) => held(vault.causes, vault.name)),
  ]
  return distinct(all).sort(byStrictness)
}

/** What happens by itself to a cause, and from when it may be stepped down. */
export interface Fate {
  /** When its level next falls by itself. */
  endsTs: number
  /** The level it falls to then. */
  endsAt: Level
  /** From when anyone may step it down, if the rule is clear. */
  stepTs: number
  /** The level of a step down. */
  stepsTo: Level
}

/** Returns a cause's fate. A halt falls to `Reduce only` for as long again, everything else to `Normal`. */
export function fateOf(cause: Cause, nowTs: number): Fate {
  const isTail = nowTs >= cause.expires_at_ts
  const length = cause.expires_at_ts - cause.tripped_at_ts
  return {
    endsTs: isTail ? cause.expires_at_ts + length : cause.expires_at_ts,
    endsAt: cause.level === 3 && !isTail ? 2 : 0,
    stepTs: cause.dwell_until_ts,
    stepsTo: below(cause.level),
  }
}
