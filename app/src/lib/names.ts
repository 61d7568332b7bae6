import type { Targets } from '@/lib/change'
import type { View } from '@/lib/schema/view'

/** Returns an address cut to its ends. */
export function shortAddress(address: string): string {
  return address.length > 12 ? `${address.slice(0, 4)}…${address.slice(-4)}` : address
}

/** Returns the name of one of the guard's accounts, else its short address. */
export function nameOf(view: View, address: string): string {
  if (address === view.guard.address) return 'the guard'
  const asset = view.assets.find((known) => known.address === address)
  const named = [...view.vaults, ...view.rules].find((known) => known.address === address)
  return asset?.symbol ?? named?.name ?? shortAddress(address)
}

/** Returns the name of what a change may be about: of accounts that the view doesn’t tell of, too. */
export function nameOfTarget(view: View, targets: Pick<Targets, 'aggregates' | 'integrations'>, address: string): string {
  if (targets.aggregates.some((held) => held.address === address)) return 'all vaults together'
  const integration = targets.integrations.find((held) => held.address === address)?.value
  if (integration === undefined) return nameOf(view, address)
  const { program, mint, index } = integration
  const token = view.assets.find((asset) => asset.mint === (mint as string))?.symbol ?? shortAddress(mint)
  return `integration ${index} of ${shortAddress(program)} (${token})`
}

/** Returns the symbol of an asset's account. */
export function symbolOf(view: View, asset: string): string {
  return view.assets.find(({ address }) => address === asset)?.symbol ?? 'tokens'
}
