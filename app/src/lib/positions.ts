import type { Row } from '@/lib/chain/positions'
import { type Scale, liquidationPrice, ltvBps } from '@/lib/exit'
import { type Zone, zoneOf } from '@/lib/histogram'

const Q64 = 1n << 64n

/** A position with a debt, as it is listed. */
export interface Listed {
  address: string
  owner: string
  debt: bigint
  collateral: bigint
  /** Debt over the collateral's value, bps; null without a price. */
  ltvBps: number | null
  /** Price at which it is liquidated; null without a price. */
  liquidatedAt: string | null
  zone: Zone | null
}

/** Lists the positions that owe something, the one that is liquidated first on top. */
export function listed(rows: readonly Row[], borrowIndexQ64: bigint, vault: Scale): Listed[] {
  const found = rows
    .filter(({ debtScaled }) => debtScaled > 0n)
    .map((row) => {
      const debt = (row.debtScaled * borrowIndexQ64 + Q64 - 1n) / Q64
      const ltv = ltvBps(debt, row.collateral, vault)
      return {
        address: row.address,
        owner: row.owner,
        debt,
        collateral: row.collateral,
        ltvBps: ltv,
        liquidatedAt: ltv === null ? null : liquidationPrice(ltv, vault),
        zone: ltv === null ? null : zoneOf(ltv, vault.lines),
      }
    })
  // Without collateral nothing is left to take: that comes before any ratio.
  const order = (one: Listed) => (one.collateral === 0n ? Number.POSITIVE_INFINITY : (one.ltvBps ?? 0))
  return found.sort((a, b) => order(b) - order(a) || (b.debt > a.debt ? 1 : b.debt < a.debt ? -1 : 0))
}

/** Orders of a long list, with their names. */
export const ORDERS = { near: 'nearest to liquidation first', debt: 'largest debt first', collateral: 'most collateral first' } as const
/** One order. */
export type Order = keyof typeof ORDERS

/** Returns the positions in an order; as they are listed, the nearest to liquidation comes first. */
export function ordered(positions: readonly Listed[], order: Order): readonly Listed[] {
  if (order === 'near') return positions
  return positions.toSorted((a, b) => (b[order] > a[order] ? 1 : b[order] < a[order] ? -1 : 0))
}

/** Debts of a long list are told to a millionth: the index moves on each second, and the list isn't sorted anew for that. */
const STEP = Q64 / 1_000_000n

/** Returns an index rounded up to what a long list tells apart. */
export function coarse(borrowIndexQ64: bigint): bigint {
  return ((borrowIndexQ64 + STEP - 1n) / STEP) * STEP
}

/** Keeps what an address, or a part of one, names. */
export function searched(positions: readonly Listed[], text: string): readonly Listed[] {
  const wanted = text.trim()
  return wanted === '' ? positions : positions.filter(({ owner, address }) => owner.includes(wanted) || address.includes(wanted))
}

/** Which rows of a long list are drawn. */
export interface Window {
  first: number
  /** One past the last. */
  end: number
}

/** Returns the rows that a scrolled box shows, with some more on both sides so that a fast scroll shows no gap. */
export function windowOf(scrollTop: number, boxHeight: number, rowHeight: number, count: number, spare = 8): Window {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - spare)
  return { first: Math.min(first, count), end: Math.min(count, Math.ceil((scrollTop + boxHeight) / rowHeight) + spare) }
}
