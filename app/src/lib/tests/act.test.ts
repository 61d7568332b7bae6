import { afterEach, describe, expect, it, vi } from 'vitest'
import { getGuardEncoder } from '@/generated'
import { effectOf, failureText } from '@/lib/act/effect'
import { type Wallet, chainOf, listenForWallets, walletOf } from '@/lib/act/wallet'
import { empty } from '@/testing/accounts'

const guard = (nextChangeId: bigint) => new Uint8Array(getGuardEncoder().encode(empty.guard({ nextChangeId, version: 1 })))

describe('effectOf', () => {
  it('names the fields that move, by the client’s decoder', () => {
    expect(effectOf('a', guard(1n), guard(2n))).toEqual({ address: 'a', kind: 'Guard', life: 'changed', moves: [{ path: ['nextChangeId'], from: 1n, to: 2n }] })
  })
  it('says that an account is created or closed', () => {
    expect(effectOf('a', null, guard(2n))).toMatchObject({ life: 'created' })
    expect(effectOf('a', guard(2n), new Uint8Array())).toMatchObject({ life: 'closed', moves: [] })
  })
  it('says nothing where nothing moves, or of what it can’t read', () => {
    expect([effectOf('a', guard(1n), guard(1n)), effectOf('a', null, null), effectOf('a', null, Uint8Array.from([1, 2]))]).toEqual([null, null, null])
  })
  it('reads the balance of a token account', () => {
    const token = (amount: number) => Uint8Array.from({ length: 165 }, (_, at) => (at === 64 ? amount : 0))
    expect(effectOf('t', token(5), token(3))?.moves).toEqual([{ path: ['balance'], from: 5n, to: 3n }])
  })
})

it('says why it would fail in the program’s own words', () => {
  const log = 'Program log: AnchorError occurred. Error Code: WrongAuthority. Error Number: 6000. Error Message: Signer does not hold the role this instruction needs.'
  expect(failureText({ InstructionError: [0, { Custom: 6000 }] }, ['Program x invoke [1]', log])).toBe('Signer does not hold the role this instruction needs')
  expect(failureText('AccountNotFound', [])).toContain('no SOL')
  expect(failureText({ InstructionError: [0, 'x'] }, [])).toBe('{"InstructionError":[0,"x"]}')
})

describe('wallets', () => {
  const account = { address: 'A' }
  const offered = {
    name: 'W',
    chains: ['solana:mainnet'],
    features: {
      'standard:connect': { connect: () => Promise.resolve({ accounts: [account] }) },
      'solana:signTransaction': { signTransaction: ({ transaction }: { transaction: Uint8Array }) => Promise.resolve([{ signedTransaction: transaction }]) },
    },
  }
  const stops: (() => void)[] = []
  afterEach(() => {
    for (const stop of stops.splice(0)) stop()
  })
  it('gives back the accounts by identity, as wallets compare them', async () => {
    expect((await walletOf(offered)?.connect())?.[0]).toBe(account)
  })
  it('passes over what can’t sign on Solana', () => {
    const { 'standard:connect': connect } = offered.features
    for (const bad of [null, 'x', { ...offered, chains: ['sui:mainnet'] }, { ...offered, features: { 'standard:connect': connect } }, { ...offered, features: {} }]) expect(walletOf(bad)).toBeNull()
  })
  it('finds those that are there first, and those that come later', () => {
    const found: Wallet[] = []
    const early = (event: Event) => {
      ;(event as CustomEvent<{ register: (wallet: object) => void }>).detail.register(offered)
    }
    window.addEventListener('wallet-standard:app-ready', early)
    stops.push(() => {
      window.removeEventListener('wallet-standard:app-ready', early)
    })
    stops.push(listenForWallets((wallet) => found.push(wallet)))
    expect(found.map(({ name }) => name)).toEqual(['W'])
    const announce = vi.fn((api: { register: (wallet: object) => void }) => {
      api.register({ ...offered, name: 'Late' })
    })
    window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: announce }))
    expect(found.map(({ name }) => name)).toEqual(['W', 'Late'])
  })
  it('refuses an answer that isn’t bytes', async () => {
    const features = { ...offered.features, 'solana:signTransaction': { signTransaction: () => Promise.resolve([{ signedTransaction: 'x' }]) } }
    await expect(walletOf({ ...offered, features })?.sign?.(account, new Uint8Array(), 'solana:localnet')).rejects.toThrow()
  })
})

it('names a network by its first block, and calls any other local', () => {
  const first = ['5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d', 'EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG', '4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY', 'x']
  expect(first.map(chainOf)).toEqual(['solana:mainnet', 'solana:devnet', 'solana:testnet', 'solana:localnet'])
})
