import { describe, expect, it } from 'vitest'
import { type Position, parseCancelWithdrawalInstruction, parseClaimCollateralInstruction, parseClaimWithdrawalInstruction, parseRequestWithdrawalInstruction } from '@/generated'
import type { Case } from '@/lib/exit'
import { COLLATERAL, LENT, cancelInstructions, claimInstructions, datesOf, requestBounds, requestInstructions, requestObstacle, ticketWorth, unitsFor } from '@/lib/ticket'
import { empty, keyOf, stored } from '@/testing/accounts'
import { sampleView } from '@/testing/sample'

const [NOW, SHARES] = [7_200 * 100, 1_000_000n]
const blank = empty.vault()
/** Exits have 180,000 of an hour and 360,000 of a day beyond the reserve: the example of docs/risk.md. */
const limits = { ...blank.limits, loanFlow: { ...blank.limits.loanFlow, absoluteFloorAmount: 1_000_000n, hourlyBps: 0, exitShareBps: 6_000, floorReserveBps: 4_000 } }
const account = empty.vault({ limits, supplyShares: stored(1_000_000n * SHARES), collateralMint: keyOf(30), loanMint: keyOf(31), guard: keyOf(1), collateralAsset: keyOf(2), loanAsset: keyOf(3) })
const none = empty.position()
const withTickets = (count: number, side = LENT, units = 10n * SHARES): Position => ({
  ...none,
  owner: keyOf(9),
  supplyShares: stored(500_000n * SHARES),
  collateralAmount: 700n,
  tickets: { ...none.tickets, slots: none.tickets.slots.map((slot, at) => (at < count ? { ...slot, state: 1, side, shares: stored(units) } : slot)) },
})
const [vault] = sampleView((raw) => {
  Object.assign(raw.vaults[0] ?? {}, { exit_level: 0, lenders_amount: '1000000' })
}).vaults
if (vault === undefined) throw new Error('The sample has a vault.')
const found = (position: Position, level: 0 | 2 | 4 = 0): Case => ({ position, account, vault: { ...vault, exit_level: level }, nowTs: NOW })

describe('requestBounds', () => {
  it('is half of what exits have beyond the reserve, with the margin for interest taken off', () => {
    // bucket 300,000, of which 180,000 are beyond the reserve: 90,000 with the margin
    expect(requestBounds(found(withTickets(0)), LENT)).toEqual([
      { name: 'the most that one ticket may be for', amount: 89_552n },
      { name: 'yours and not queued yet', amount: 500_000n },
    ])
  })
  it('leaves out what tickets lock already', () => {
    expect(requestBounds(found(withTickets(2, LENT, 240_000n * SHARES)), LENT)[0]).toEqual({ name: 'yours and not queued yet', amount: 20_000n })
  })
  it('lets nothing of collateral be queued where its limiter lets nothing out', () => {
    expect(requestBounds(found(withTickets(0)), COLLATERAL)[0]?.amount).toBe(0n)
  })
})

describe('requestObstacle', () => {
  it('is none while a ticket is free', () => {
    expect(requestObstacle(found(withTickets(7)), LENT)).toBeNull()
  })
  it('names what forbids one', () => {
    expect(requestObstacle(found(withTickets(8)), LENT)).toBe('All 8 tickets of the position are in use: claim or cancel one first.')
    expect(requestObstacle(found(withTickets(0), 4), LENT)).toBe('In Resolution nothing is queued: claims pay what there is.')
    const owing = { ...withTickets(0), debtScaled: stored(1n << 64n) }
    const grown = { ...account, borrowIndexQ64: stored(1n << 64n) }
    expect(requestObstacle({ ...found(owing), account: grown }, COLLATERAL)).toBe('Collateral behind a debt can’t be queued: repay first.')
    expect(requestObstacle({ ...found(owing), account: grown }, LENT)).toBeNull()
  })
})

it('is due in the hour after next, and a day later while exits are restricted', () => {
  expect(datesOf({ ...found(none), nowTs: NOW + 3_599 })).toEqual({ eligibleTs: NOW + 7_200, latestTs: NOW + 7_200 + 604_800 })
  expect(datesOf(found(none, 2)).eligibleTs).toBe(NOW + 26 * 3_600)
})

it('locks shares for an amount, and all that is free for all of its worth', () => {
  const position = { ...withTickets(1), supplyShares: stored(100n * SHARES + 7n) }
  expect(unitsFor(found(position), LENT, 50n)).toBe(50n * SHARES)
  expect(unitsFor(found(position), LENT, 90n)).toBe(90n * SHARES + 7n)
  expect(unitsFor(found(position), COLLATERAL, 40n)).toBe(40n)
})

it('is worth no more than a liquidation left', () => {
  const ticket = { number: 0, ticket: { ...none.tickets.slots[0], side: COLLATERAL, shares: stored(900n) } as never }
  expect(ticketWorth(found(withTickets(0)), ticket)).toBe(700n)
})

describe('instructions', () => {
  const of = { vault: { address: keyOf(10) as string, value: account }, position: withTickets(2) }
  const asset = empty.asset({ mint: keyOf(31), tokenProgram: keyOf(40) })
  const numbered = (side: number) => ({ number: 1, ticket: { ...none.tickets.slots[0], side, shares: stored(5n) } as never })
  it('ask for a ticket of a side', async () => {
    const [ask] = await requestInstructions(of, COLLATERAL, 40n)
    const { accounts, data } = parseRequestWithdrawalInstruction(ask as never)
    expect([data.shares, data.side, accounts.owner.address, accounts.vault.address, accounts.collateralAsset.address, accounts.loanAsset.address]).toEqual([40n, 1, keyOf(9), keyOf(10), keyOf(2), keyOf(3)])
  })
  it('give one back without moving anything', async () => {
    const all = await cancelInstructions(of, 1)
    expect([all.length, parseCancelWithdrawalInstruction(all[0] as never).data.ticket]).toEqual([1, 1])
  })
  it('open the owner’s token account and claim what its side pays, whatever part there is', async () => {
    const lent = await claimInstructions(of, numbered(LENT), asset)
    const { accounts, data } = parseClaimWithdrawalInstruction(lent[1] as never)
    expect([lent.length, data.args, accounts.loanMint.address, accounts.tokenProgram.address]).toEqual([2, { ticket: 1, minAmount: 1n }, keyOf(31), keyOf(40)])
    expect(lent[0]?.accounts?.[1]?.address).toBe(accounts.ownerToken.address)
    const held = await claimInstructions(of, numbered(COLLATERAL), asset)
    expect(parseClaimCollateralInstruction(held[1] as never).accounts.collateralMint.address).toBe(keyOf(30))
  })
})
