import { useEffect, useState } from 'react'
import { type Wallet, listenForWallets } from '@/lib/act/wallet'

/** Returns the wallets that have registered themselves by the Wallet Standard. */
export function useWallets(): readonly Wallet[] {
  const [wallets, setWallets] = useState<readonly Wallet[]>([])
  useEffect(
    () =>
      listenForWallets((wallet) => {
        setWallets((known) => (known.some(({ name }) => name === wallet.name) ? known : [...known, wallet]))
      }),
    [],
  )
  return wallets
}
