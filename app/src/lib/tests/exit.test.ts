import { describe, expect, it } from 'vitest'
import type { Position, WithdrawTicket } from '@/generated'
import { type Case, collateralOut, debtOf, dueOf, floorLeft, indexOf, lentOut, liquidationPrice, ltvBps, neededFor, openTickets, ticketStage, worthOf } from '@/lib/exit'
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
    const { loan } = vault().limits
    const limits = { ...vault().limits, loan: { ...loan, exit: { ...loan.exit, hour_usable_amount: 0n } } }
    expect(lentOut(found({ limits })).bounds[0]).toEqual({ name: 'left of today’s exit floor', amount: 10_000_000n })
  })
  it('promises nothing of what is held back for the floor and booked by tickets', () => {
    const { loan } = vault().limits
    // 50,000 USDC are unused of the hour; 300 of them are open to exits beyond the floor
    const limits = { ...vault().limits, loan: { ...loan, exit: { ...loan.exit, hour_usable_amount: 300_000_000n } } }
    expect(lentOut(found({ limits })).bounds[0]).toEqual({ name: 'left of this hour’s limit', amount: 300_000_000n })
  })
  it('is bound by what the vault has leased of the dollar limit; the floor is not', () => {
    const of = (lease_amount: bigint) => lentOut(found({ limits: { ...vault().limits, loan: { ...vault().limits.loan, lease_amount } } }))
    expect(of(70_000_000n).bounds[0]).toEqual({ name: 'left of what the vault has leased of the dollar limit', amount: 70_000_000n })
    expect(of(0n).bounds[0]).toEqual({ name: 'left of today’s exit floor', amount: 10_000_000n })
  })
  it('lets the floor take no more than all exits have', () => {
    const { loan } = vault().limits
    const limits = { ...vault().limits, loan: { ...loan, floor: loan.floor && { ...loan.floor, hour_usable_amount: 4n } } }
    expect(lentOut(found({ ...at(3), limits })).bounds[0]).toEqual({ name: 'left of this hour’s limit, its reserve included', amount: 4n })
  })
  it('takes what is left from the vault’s account where no keeper tells, and names what isn’t counted', () => {
    const { loan } = vault().limits
    const told = { hour_usable_amount: null, day_usable_amount: null }
    const limits = { ...vault().limits, loan: { exit: { ...loan.exit, ...told }, risk: { ...loan.risk, ...told }, floor: null, lease_amount: null } }
    const flow = { ...account.limits.loanFlow, absoluteFloorAmount: 1_000_000_000n, exitShareBps: 6_000, floorReserveBps: 4_000 }
    const own = { ...account, limits: { ...account.limits, loanFlow: flow } }
    const out = lentOut({ ...found({ limits, borrow_index_q64: null }), account: own })
    // 600 for exits, half of it at once, and 40 % of that held back
    expect(out.bounds[0]).toEqual({ name: 'left of this hour’s limit', amount: 180_000_000n })
    expect(out.uncounted).toContain('the guard’s dollar limit, if it has one')
    expect(lentOut(found()).uncounted).toEqual(['what is missing from the vault’s own token account, if anything is'])
  })
})

describe('in Resolution', () => {
  const entered = { ...account.resolution, state: 1, shares: stored(10_000_000_000n * SHARES), paidAmount: 1_000_000_000n, claimsOpenAtTs: BigInt(NOW + 60), endsAtTs: BigInt(NOW + 600) }
  const resolving = (nowTs: number, own: Partial<Position> = {}): Case => ({ ...found(at(4), own), nowTs, account: { ...account, cashAmount: 4_000_000_000n, resolution: entered } })
  it('pays nothing before claims open, and says when that is', () => {
    const out = lentOut(resolving(NOW))
    expect([out.now, out.bounds[0]?.name]).toEqual([0n, 'claims are not open yet'])
    expect(out.claims).toEqual({ openTs: NOW + 60, forcedTs: NOW + 600 })
  })
  it('pays the part of all cash that came in, less what was claimed, once claims are open', () => {
    // a tenth of 4,000 that are there and 1,000 that were paid
    expect(lentOut(resolving(NOW + 60)).now).toBe(500_000_000n)
    expect(lentOut(resolving(NOW + 60, { resolutionClaimedAmount: 100_000_000n })).now).toBe(400_000_000n)
    expect(lentOut(resolving(NOW + 60, { resolutionClaimedAmount: 900_000_000n })).now).toBe(0n)
  })
  it('never pays more than there is', () => {
    expect(dueOf(empty.position({ supplyShares: stored(10n) }), { ...account, cashAmount: 3n, resolution: { ...entered, shares: stored(10n), paidAmount: 9n } })).toBe(3n)
  })
  it('gives all collateral back once no debt is left', () => {
    expect(collateralOut(resolving(NOW + 60)).now).toBe(5_000_000_000n)
    expect(collateralOut(resolving(NOW + 60, { debtScaled: stored(1n) })).bounds[0]).toEqual({ name: 'yours once the debt is repaid', amount: 0n })
  })
})

describe('floorLeft', () => {
  const floor = { base: stored(10_000n), used: stored(30n), episode: 1n, dayStartedTs: BigInt(NOW - 100) }
  it('counts what was taken today', () => {
    expect(floorLeft(floor, 9_970n, 100, NOW, true)).toBe(70n)
  })
  it('takes the smaller base where a new episode may have begun', () => {
    expect(floorLeft({ ...floor, base: stored(1_000_000n) }, 9_970n, 100, NOW, true)).toBe(70n)
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
    expect(neededFor(450_000_000n, vault())).toBe(4_618_463_596n)
    expect(collateralOut(found({}, debt)).now).toBe(5_000_000_000n - 4_618_463_596n)
  })
  it('takes the price and the limit that new risk really gets', () => {
    // at a reference of 120 and half of the limit, 450 USDC need 11.538… SOL
    expect(neededFor(450_000_000n, vault({ price_for_new_risk: '120', ltv_now_bps: 3_250 }))).toBe(11_538_461_542n)
    expect(collateralOut(found({ price_for_new_risk: '120', ltv_now_bps: 3_250 }, debt)).now).toBe(0n)
  })
  it('gives nothing from behind a debt while the reference is cold or the collateral warms up', () => {
    const binding = (change: object) => collateralOut(found(change, debt)).bounds[0]?.name
    expect(binding({ price_for_new_risk: null })).toBe('waits for an agreed price and a warm reference')
    expect(binding({ ltv_now_bps: 0 })).toBe('the collateral carries no new risk yet')
  })
  it('leaves what isn’t ripe behind', () => {
    const unripe = { amount: 300_000_000n, sinceTs: BigInt(NOW - 86_399) }
    const free = 5_000_000_000n - 4_618_463_596n
    expect(collateralOut(found({}, { ...debt, unripe })).bounds[0]).toEqual({ name: 'beyond what your debt needs, and ripe', amount: free - 300_000_000n })
    expect(collateralOut(found({}, { ...debt, unripe: { ...unripe, sinceTs: BigInt(NOW - 86_400) } })).now).toBe(free)
  })
  it('counts the interest until now', () => {
    const grown = (1n << 64n) + (1n << 64n) / 100n
    expect(debtOf(empty.position(debt), account, { borrow_index_q64: grown })).toBe(454_500_000n)
    expect(collateralOut(found({ borrow_index_q64: grown }, debt)).now).toBeLessThan(collateralOut(found({}, debt)).now)
    // an account that was read later than the state is the newer one
    expect(indexOf({ ...account, borrowIndexQ64: stored(grown + 5n) }, { borrow_index_q64: grown })).toBe(grown + 5n)
  })
  it('says of an older keeper what it doesn’t tell', () => {
    const out = collateralOut(found({ borrow_index_q64: null, price_for_new_risk: null, ltv_now_bps: null }, debt))
    expect(out.now).toBe(5_000_000_000n - 4_618_463_596n)
    expect(out.uncounted.some((text) => text.startsWith('what volatility'))).toBe(true)
  })
  it('gives nothing from behind a debt without an agreed price, nor from Reduce only on', () => {
    const price = { ...vault().price, state: 'recorded' as const }
    expect(collateralOut(found({ price }, debt)).bounds[0]).toEqual({ name: 'waits for an agreed price and a warm reference', amount: 0n })
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
  expect(debtOf(empty.position({ debtScaled: stored(3n) }), empty.vault({ borrowIndexQ64: stored((1n << 64n) + 1n) }), { borrow_index_q64: null })).toBe(4n)
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
