import type { Page } from '@playwright/test'
import { type KeyPairSigner, getTransactionDecoder, getTransactionEncoder, partiallySignTransaction } from '@solana/kit'

/** Puts a wallet into the page that holds one key and registers itself by the Wallet Standard. */
export async function withWallet(page: Page, signer: KeyPairSigner, name: string): Promise<void> {
  await page.exposeFunction('signByKey', async (bytes: number[]) => {
    const signed = await partiallySignTransaction([signer.keyPair], getTransactionDecoder().decode(Uint8Array.from(bytes)))
    return [...getTransactionEncoder().encode(signed)]
  })
  await page.addInitScript(
    ([address, label]) => {
      const sign = Reflect.get(window, 'signByKey') as (bytes: number[]) => Promise<number[]>
      const account = { address, publicKey: new Uint8Array(32), chains: ['solana:localnet'], features: ['solana:signTransaction'] }
      const wallet = {
        version: '1.0.0',
        name: label,
        icon: 'data:image/svg+xml;base64,',
        chains: ['solana:localnet'],
        accounts: [account],
        features: {
          'standard:connect': { version: '1.0.0', connect: async () => ({ accounts: [account] }) },
          'solana:signTransaction': {
            version: '1.0.0',
            supportedTransactionVersions: ['legacy', 0],
            signTransaction: async (input: { account: object; transaction: Uint8Array; chain: string }) => {
              if (input.account !== account || input.chain !== 'solana:localnet') throw new Error('another account, or another network')
              return [{ signedTransaction: Uint8Array.from(await sign([...input.transaction])) }]
            },
          },
        },
      }
      // Both ways of the standard: the page may be there first, or the wallet.
      const announce = (api: { register: (wallet: object) => void }) => api.register(wallet)
      window.addEventListener('wallet-standard:app-ready', (event) => announce((event as CustomEvent<{ register: (wallet: object) => void }>).detail))
      window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: announce }))
    },
    [signer.address as string, name] as const,
  )
}

/** Gives an account SOL for its fees. */
export async function funded(rpc: string, address: string): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'requestAirdrop', params: [address, 2_000_000_000] })
  const answer = await fetch(rpc, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const { error } = (await answer.json()) as { error?: { message: string } }
  if (error !== undefined) throw new Error(error.message)
}
