import { describe, expect, it } from 'vitest'
import { getPositionEncoder } from '@/generated'
import { SLICE, rowOf } from '@/lib/chain/positions'
import { listed, ordered, searched, windowOf } from '@/lib/positions'
import { empty, keyOf, stored } from '@/testing/accounts'
import { sampleView } from '@/testing/sample'

const [vault] = sampleView().vaults
if (vault === undefined) throw new Error('the sample has no vault')
const Q64 = 1n << 64n
const row = (at: number, debt: bigint, collateral: bigint) => ({ address: `p${at}`, vault: 'Vault1', owner: `owner${at}`, shares: 0n, debtScaled: debt, collateral })

it('reads the part of an account that a list needs', () => {
  const position = empty.position({ vault: keyOf(1), owner: keyOf(2), supplyShares: stored(3n), debtScaled: stored(Q64 + 4n), collateralAmount: 5n })
  const bytes = new Uint8Array(getPositionEncoder().encode(position)).slice(SLICE.offset, SLICE.offset + SLICE.length)
  expect(rowOf('p', bytes)).toEqual({ address: 'p', vault: keyOf(1), owner: keyOf(2), shares: 3n, debtScaled: Q64 + 4n, collateral: 5n })
})

describe('listed', () => {
  // prices are 149.9 to 150.1; a debt of 100 USDC
  const all = listed([row(1, 100_000_000n, 2_000_000_000n), row(2, 100_000_000n, 800_000_000n), row(3, 0n, 9n), row(4, 1n, 0n)], Q64, vault)
  it('puts the one that is liquidated first on top, what has no collateral before all, and leaves lenders out', () => {
    expect(all.map(({ owner }) => owner)).toEqual(['owner4', 'owner2', 'owner1'])
  })
  it('tells ratio, zone and price of each', () => {
    expect(all[1]).toMatchObject({ ltvBps: 8_328, zone: 'liquidatable' })
    expect(all[2]).toMatchObject({ ltvBps: 3_332, zone: 'safe', liquidatedAt: '60.991853' })
  })
  it('lists them without a price, too', () => {
    const none = { ...vault, price: { state: 'indeterminate' as const, reason: 'price', lo: null, hi: null } }
    expect(listed([row(1, 5n, 1n)], Q64, none)).toMatchObject([{ debt: 5n, ltvBps: null, zone: null, liquidatedAt: null }])
  })
  it('finds by a part of an address', () => {
    expect(searched(all, ' wner2 ').map(({ owner }) => owner)).toEqual(['owner2'])
    expect(searched(all, '').length).toBe(3)
  })
  it('takes another order, and leaves the list as it is', () => {
    expect(ordered(all, 'debt').map(({ owner }) => owner)).toEqual(['owner2', 'owner1', 'owner4'])
    expect(ordered(all, 'collateral').map(({ owner }) => owner)).toEqual(['owner1', 'owner2', 'owner4'])
    expect(ordered(all, 'near')).toBe(all)
  })
  it('sorts ten thousand within a moment', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => row(at, BigInt(1 + ((at * 7_919) % 10_007)) * 1_000_000n, 100_000_000_000n))
    const started = performance.now()
    const sorted = listed(many, Q64, vault)
    expect(performance.now() - started).toBeLessThan(2_000)
    expect(sorted.every((one, at) => at === 0 || (sorted[at - 1]?.ltvBps ?? 0) >= (one.ltvBps ?? 0))).toBe(true)
  })
})

it.each([
  [0, 100, { first: 0, end: 20 }],
  [4_000, 10_000, { first: 92, end: 120 }],
  [399_520, 10_000, { first: 9_980, end: 10_000 }],
  [4_000, 3, { first: 3, end: 3 }],
])('draws at %i of %i rows a few', (scrollTop, count, window) => {
  expect(windowOf(scrollTop, 480, 40, count)).toEqual(window)
})
