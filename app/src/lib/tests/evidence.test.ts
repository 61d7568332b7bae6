import { describe, expect, it } from 'vitest'
import { getOracleSetEncoder, getStandbySetEncoder } from '@/generated'
import type { Targets } from '@/lib/change'
import { evidenceOf, sampleOf } from '@/lib/evidence'
import { empty, keyOf, stored } from '@/testing/accounts'

const zero = empty.asset()
const source = (account: number, pin = 1) => ({ ...(zero.oracle.sources[0] as NonNullable<(typeof zero.oracle.sources)[0]>), account: keyOf(account), pin })
const blank = source(0, 0)
const UNRATED = { ...zero.oracle.rate, kind: 1 }
const set = (...accounts: number[]) => ({ ...zero.oracle, rate: UNRATED, count: accounts.length, sources: [0, 1, 2].map((at) => (accounts[at] === undefined ? blank : source(accounts[at]))) })
const asset = (address: number, ...accounts: number[]) => ({ address: keyOf(address) as string, value: empty.asset({ oracle: set(...accounts) }) })
const vault = (debt: bigint) => ({ address: keyOf(10) as string, value: empty.vault({ collateralAsset: keyOf(20), loanAsset: keyOf(21), debtScaled: stored(debt) }) })
const targets = (debt = 5n): Targets => ({ guards: [], vaults: [vault(debt)], assets: [asset(20, 30, 31), asset(21, 32, 33)], rules: [], policies: [], reserves: [], aggregates: [], integrations: [] })
const change = (group: number, target: number, next: ArrayLike<number> = []) => {
  const bytes = new Uint8Array(400)
  bytes.set(Array.from(next))
  return { address: 'c', value: empty.change({ group, target: keyOf(target), next: bytes }) }
}
const row = (at: number, debtScaled: bigint, collateral: bigint) => ({ address: keyOf(at) as string, vault: '', owner: '', shares: 0n, debtScaled, collateral })

it('samples the positions that are nearest to liquidation, at most eight', () => {
  const rows = [row(1, 1n, 100n), row(2, 9n, 100n), row(3, 0n, 5n), row(4, 1n, 0n), row(5, 5n, 100n)]
  expect(sampleOf(rows).map(({ address }) => address)).toEqual([4, 2, 5, 1].map((at) => keyOf(at)))
  expect(sampleOf(Array.from({ length: 20 }, (_, at) => row(at + 1, 1n, 1n))).length).toBe(8)
})

describe('evidenceOf', () => {
  it('of lines is both assets, their sources, and a sample; nothing while there is no debt', () => {
    expect(evidenceOf(change(1, 10), targets(), [row(1, 1n, 1n)])).toEqual({ accounts: [20, 21, 30, 31, 32, 33, 1].map(keyOf) })
    expect(evidenceOf(change(1, 10), targets(0n), null)).toEqual({ accounts: [] })
  })
  it('of lines is missing where nobody lists positions, and says so', () => {
    expect(evidenceOf(change(1, 10), targets(), null)).toMatchObject({ missing: expect.stringContaining('sample of the vault’s positions') as string })
  })
  it('of lines is missing while the positions aren’t read, and says so', () => {
    const unread = { missing: 'The vault’s positions aren’t read yet: a sample of them is what the change is tried on.' }
    expect(evidenceOf(change(1, 10), targets(), undefined)).toEqual(unread)
    expect(evidenceOf(change(1, 10), targets(0n), undefined)).toEqual({ accounts: [] })
  })
  it('of sources is the present set, then the next one, with the accounts of an exchange rate', () => {
    const rate = { ...UNRATED, kind: 2, account: keyOf(50) }
    const next = getOracleSetEncoder().encode({ ...set(31, 40), rate })
    expect(evidenceOf(change(5, 20, next), targets(), null)).toEqual({ accounts: [...[30, 31, 31, 40, 50].map(keyOf), 'SysvarC1ock11111111111111111111111111111111'] })
  })
  it('of sources is missing where one is pinned to a feed', () => {
    const next = getOracleSetEncoder().encode({ ...set(31), sources: [source(31, 2), blank, blank] })
    expect(evidenceOf(change(5, 20, next), targets(), null)).toMatchObject({ missing: expect.stringContaining('pinned to a feed') as string })
  })
  it('of standby sources is the present set, then each new one', () => {
    const standby = { ...zero.standby, count: 1, sources: zero.standby.sources.map((old, at) => (at === 0 ? source(60) : old)) }
    expect(evidenceOf(change(12, 20, getStandbySetEncoder().encode(standby)), targets(), null)).toEqual({ accounts: [30, 31, 60].map(keyOf) })
  })
  it('says in words what a release needs', () => {
    expect(evidenceOf(change(14, 1), targets(), null)).toMatchObject({ missing: expect.stringContaining('the account that it goes to') as string })
  })
  it('is nothing for all else', () => {
    expect(evidenceOf(change(2, 10), targets(), null)).toEqual({ accounts: [] })
  })
})
