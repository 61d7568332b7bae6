import { describe, expect, it } from 'vitest'
import type { Position, WithdrawTicket } from '@/generated'
import { type Case, collateralOut, debtOf, floorLeft, lentOut, liquidationPrice, ltvBps, neededFor, openTickets, ticketStage, worthOf } from '@/lib/exit'
import type { Level } from '@/lib/level'
import { sharesFor } from '@/lib/withdraw'
import { empty, stored } from '@/testing/accounts'
import { NOW, sampleView } from '@/testing/sample'

const [view] = sampleView().vaults
const SHARES = 1_000_000n
const vault = (change: object = {}) => ({ ...view, ...change }) as NonNullable<typeof view>
/** Lenders have 10,000 USDC in 10,000 shares' worth; the position has a tenth of it. */
const account = empty.vault({ supplyShares: stored(10_000_000_000n * SHARES), borrowIndexQ64: stored(1n << 64n) })
const position = empty.position({ supplyShares: stored(1_000_000_000n * SHARES), collateralAmount: 5_000_000_000n })
const found = (change: object = {}, own: Partial<Position> = {}): Case => ({
  position: { ...position, ...own },
  account,
  vault: vault({ lenders_amount: 10_000_000_000n, cash_amount: 4_000_000_000n, exit_level: 0, level: 0, ...change }),
  nowTs: NOW,
})
const at = (level: Level) => ({ level, exit_level: level })

describe('lentOut', () => {
  it('is bound by what is there', () => {
    const out = lentOut(found())
    expect([out.held, out.now, out.bounds[0]?.name]).toEqual([1_000_000_000n, 1_000_000_000n, 'yours and not queued'])
  })
  it('is bound by the cash', () => {
    expect(lentOut(found({ cash_amount: 7n })).bounds[0]).toEqual({ name: 'cash in the vault', amount: 7n })
  })
  it('goes through the floor alone while exits are restricted', () => {
    for (const level of [2, 3] as const) {
      const out = lentOut(found(at(level)))
      expect(out.bounds[0]?.name).toBe('left of today’s exit floor')
      // 1 % of a position of 1,000
      expect(out.now).toBe(10_000_000n)
    }
  })
  it('pays through the floor where the limits are used up', () => {
    const gauge = { hour_used_amount: 9n, hour_limit_amount: 9n, day_used_amount: 9n, day_limit_amount: 9n }
    const limits = { ...vault().limits, loan: { exit: gauge, risk: gauge } }
    expect(lentOut(found({ limits })).bounds[0]).toEqual({ name: 'left of today’s exit floor', amount: 10_000_000n })
  })
  it('is closed in Resolution, whose claims are paid in order', () => {
    expect(lentOut(found(at(4))).now).toBe(0n)
  })
})

describe('floorLeft', () => {
  const floor = { base: stored(10_000n), used: stored(30n), episode: 1n, dayStartedTs: BigInt(NOW - 100) }
  it('counts what was taken today', () => {
    expect(floorLeft(floor, 9_970n, 100, NOW, true)).toBe(70n)
  })
  it('starts anew after a day, on the base of the episode', () => {
    expect(floorLeft({ ...floor, dayStartedTs: BigInt(NOW - 86_400) }, 9_970n, 100, NOW, true)).toBe(100n)
  })
  it('rounds the share up, so that a small position can leave too', () => {
    expect(floorLeft({ ...floor, base: stored(0n), used: stored(0n) }, 3n, 100, NOW, true)).toBe(1n)
  })
})

describe('collateralOut', () => {
  const debt = { debtScaled: stored(450_000_000n) }
  it('is free without a debt', () => {
    expect(collateralOut(found()).now).toBe(5_000_000_000n)
  })
  it('keeps what a debt needs at the limit for new risk, rounded against the borrower', () => {
    // 450 USDC at 149.9 and 65 % need 4.6185… SOL
    expect(neededFor(450_000_000n, vault())).toBe(4_618_463_592n)
    expect(collateralOut(found({}, debt)).now).toBe(5_000_000_000n - 4_618_463_592n)
  })
  it('gives nothing from behind a debt without an agreed price, nor from Reduce only on', () => {
    const price = { ...vault().price, state: 'recorded' as const }
    expect(collateralOut(found({ price }, debt)).bounds[0]).toEqual({ name: 'waits for an agreed price', amount: 0n })
    expect(collateralOut(found(at(2), debt)).now).toBe(0n)
  })
})

describe('tickets', () => {
  const ticket = { state: 1, side: 0, shares: stored(5n), eligibleAtTs: 100n, latestAtTs: 500n } as WithdrawTicket
  it.each<[number, boolean, string]>([
    [99, false, 'waiting'],
    [100, false, 'claimable'],
    [100, true, 'held'],
    [500, true, 'due'],
    [500 + 86_399, true, 'due'],
    [500 + 86_400, true, 'held'],
  ])('is at %i, restricted %s, %s', (nowTs, isRestricted, stage) => {
    expect(ticketStage(ticket, isRestricted, nowTs)).toBe(stage)
  })
  it('are listed by the date that they are due, and lock what they are for', () => {
    const slots = position.tickets.slots.map((slot, at) => (at < 2 ? { ...ticket, shares: stored(100n * SHARES), eligibleAtTs: BigInt(200 - at) } : slot))
    const own = { tickets: { ...position.tickets, slots } }
    expect(openTickets({ ...position, ...own }).map(({ number }) => number)).toEqual([1, 0])
    expect(lentOut(found({}, own)).queued).toBe(200n)
  })
})

it('rounds a debt up and what shares are worth down', () => {
  expect(debtOf(empty.position({ debtScaled: stored(3n) }), empty.vault({ borrowIndexQ64: stored((1n << 64n) + 1n) }))).toBe(4n)
  expect(worthOf(1n, 10n, SHARES)).toBe(0n)
})

it('burns enough shares for an amount, and never more than there are', () => {
  const [lenders, all] = [1_000_003n, 999_999n * SHARES]
  for (const amount of [1n, 77n, 999_999n]) expect(worthOf(sharesFor(amount, lenders, all, all), lenders, all)).toBeGreaterThanOrEqual(amount)
  expect(sharesFor(10n ** 12n, lenders, all, 5n)).toBe(5n)
})

it('tells loan to value and the price of liquidation, also of a recorded price, and neither without one', () => {
  const recorded = vault({ price: { state: 'recorded', reason: null, lo: '150', hi: '150' } })
  // 615 USDC against 5 SOL at 150
  expect(ltvBps(615_000_000n, 5_000_000_000n, recorded)).toBe(8_200)
  expect(liquidationPrice(8_200, recorded)).toBe('150.000000')
  expect(liquidationPrice(4_100, recorded)).toBe('75.000000')
  const none = vault({ price: { state: 'indeterminate', reason: 'price', lo: null, hi: null } })
  expect([ltvBps(1n, 1n, none), liquidationPrice(1, none)]).toEqual([null, null])
})
