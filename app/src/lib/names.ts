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

/** Returns the symbol of an asset's account. */
export function symbolOf(view: View, asset: string): string {
  return view.assets.find(({ address }) => address === asset)?.symbol ?? 'tokens'
}
