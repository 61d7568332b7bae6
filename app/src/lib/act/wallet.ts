import * as v from 'valibot'

// The app's side of the Wallet Standard, as far as it is needed: wallets register themselves by events of the window.
// Source: https://github.com/wallet-standard/wallet-standard, packages/core/app.

const SIGN = 'solana:signTransaction'
const SIGN_AND_SEND = 'solana:signAndSendTransaction'
const CONNECT = 'standard:connect'

const callable = v.custom<(...args: never[]) => unknown>((value) => typeof value === 'function')
const Features = v.looseObject({ [CONNECT]: v.looseObject({ connect: callable }) })
const Described = v.object({ name: v.string(), chains: v.array(v.string()), features: Features })
const Accounts = v.object({ accounts: v.array(v.object({ address: v.string() })) })
const bytes = v.instance(Uint8Array)
const Signed = v.tuple([v.object({ signedTransaction: bytes })])
const Sent = v.tuple([v.object({ signature: bytes })])

/** An account of a wallet, as the wallet gave it: wallets compare it by identity. */
export interface WalletAccount {
  address: string
}

/** A wallet that can sign transactions. */
export interface Wallet {
  name: string
  /** Asks for its accounts; the reader may refuse. */
  connect: () => Promise<readonly WalletAccount[]>
  /** Signs a transaction; null where the wallet only signs what it sends itself. */
  sign: ((account: WalletAccount, transaction: Uint8Array, chain: string) => Promise<Uint8Array>) | null
  /** Signs a transaction and sends it through an endpoint of the wallet's own. */
  signAndSend: ((account: WalletAccount, transaction: Uint8Array, chain: string) => Promise<Uint8Array>) | null
}

type Method = (input: unknown) => Promise<unknown>

/** Returns a method of a feature, bound to it; null where the wallet has none. */
function methodOf(features: Record<string, unknown>, feature: string, name: string): Method | null {
  const holder = features[feature]
  if (typeof holder !== 'object' || holder === null) return null
  const method: unknown = Reflect.get(holder, name)
  return typeof method === 'function' ? (input) => Promise.resolve(Reflect.apply(method as Method, holder, [input])) : null
}

/** Returns a wallet that registered itself; null for one that can't sign on Solana, or isn't a wallet. */
export function walletOf(offered: unknown): Wallet | null {
  const read = v.safeParse(Described, offered)
  if (!read.success || !read.output.chains.some((chain) => chain.startsWith('solana:'))) return null
  // The wallet's own object is asked, not the copy that was parsed.
  const features = Reflect.get(offered as object, 'features') as Record<string, unknown>
  const [connect, sign, send] = [methodOf(features, CONNECT, 'connect'), methodOf(features, SIGN, 'signTransaction'), methodOf(features, SIGN_AND_SEND, 'signAndSendTransaction')]
  if (connect === null || (sign === null && send === null)) return null
  return {
    name: read.output.name,
    connect: async () => {
      const answer = await connect({})
      v.parse(Accounts, answer)
      return (answer as { accounts: readonly WalletAccount[] }).accounts
    },
    sign: sign && (async (account, transaction, chain) => v.parse(Signed, await sign({ account, transaction, chain }))[0].signedTransaction),
    signAndSend: send && (async (account, transaction, chain) => v.parse(Sent, await send({ account, transaction, chain }))[0].signature),
  }
}

/** Listens for wallets that register themselves, those that are there already included. Returns how to stop. */
export function listenForWallets(onWallet: (wallet: Wallet) => void): () => void {
  const register = (...offered: unknown[]): (() => void) => {
    for (const one of offered) {
      const wallet = walletOf(one)
      if (wallet !== null) onWallet(wallet)
    }
    return () => undefined
  }
  const api = Object.freeze({ register })
  const onRegister = (event: Event) => {
    const callback: unknown = event instanceof CustomEvent ? event.detail : Reflect.get(event, 'detail')
    if (typeof callback === 'function') Reflect.apply(callback as (api: unknown) => void, null, [api])
  }
  window.addEventListener('wallet-standard:register-wallet', onRegister)
  window.dispatchEvent(new CustomEvent('wallet-standard:app-ready', { detail: api }))
  return () => {
    window.removeEventListener('wallet-standard:register-wallet', onRegister)
  }
}

/** Names of the networks by the hash of their first block. Source: the Wallet Standard's chains of Solana. */
const CHAINS: Record<string, string> = {
  '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d': 'solana:mainnet',
  EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG: 'solana:devnet',
  '4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY': 'solana:testnet',
}

/** Returns the network's name by the hash of its first block; any other one is local. */
export function chainOf(genesisHash: string): string {
  return CHAINS[genesisHash] ?? 'solana:localnet'
}
