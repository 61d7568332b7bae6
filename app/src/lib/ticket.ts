import { type Instruction, address, createNoopSigner } from '@solana/kit'
import {
  type Asset,
  type Position,
  type Vault as VaultAccount,
  findPositionPda,
  getCancelWithdrawalInstruction,
  getClaimCollateralInstruction,
  getClaimWithdrawalInstruction,
  getRequestWithdrawalInstruction,
} from '@/generated'
import { type Held, u128 } from '@/lib/accounts'
import { gaugesOf } from '@/lib/chain/flow'
import { type Bound, type Case, type Numbered, debtOf, lockedOf, worthOf } from '@/lib/exit'
import { openToken, sharesFor, tokenOf } from '@/lib/withdraw'

/** What a ticket is for, by its number on chain. Source: `TicketSide`. */
export const [LENT, COLLATERAL] = [0, 1] as const
export type Side = typeof LENT | typeof COLLATERAL

// Source: `constants.rs` and `math/bookings.rs` of the program.
const BPS = 10_000n
const MARGIN_BPS = 50n
const HOUR_SECS = 3_600
const [FIRST_HOURS, RESTRICTED_HOURS] = [2, 24]
/** How long after its hour no level below Resolution holds a ticket back any more, seconds. */
const HOLD_SECS = 7 * 86_400

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** Units of a side that no ticket locks: shares, or base units of collateral. */
function freeUnits({ position }: Case, side: Side): bigint {
  const held = side === LENT ? u128(position.supplyShares) : position.collateralAmount
  const locked = lockedOf(position, side)
  return held > locked ? held - locked : 0n
}

const inTokens = ({ account, vault }: Case, side: Side, units: bigint): bigint =>
  side === LENT ? worthOf(units, vault.lenders_amount, u128(account.supplyShares)) : units

/** The most that one ticket may be for: half of what exits have beyond the floor's reserve. Source: `OutflowLimiter::book`. */
function largest({ account, nowTs }: Case, side: Side): bigint {
  const [flow, limits] = side === LENT ? [account.loanFlow, account.limits.loanFlow] : [account.collateralFlow, account.limits.collateralFlow]
  const { exit, floor } = gaugesOf(flow, limits, nowTs, { exit: 0, risk: 0 })
  const half = (whole: bigint, reserve: bigint) => (whole > reserve ? (whole - reserve) / 2n : 0n)
  const booked = least(half(exit.hour_limit_amount, floor?.hour_limit_amount ?? 0n), half(exit.day_limit_amount, floor?.day_limit_amount ?? 0n))
  return side === LENT ? (booked * BPS) / (BPS + MARGIN_BPS) : booked
}

/** What bounds a ticket, the narrowest first. */
export function requestBounds(found: Case, side: Side): Bound[] {
  const bounds = [
    { name: 'yours and not queued yet', amount: inTokens(found, side, freeUnits(found, side)) },
    { name: 'the most that one ticket may be for', amount: largest(found, side) },
  ]
  return bounds.sort((a, b) => (a.amount < b.amount ? -1 : a.amount > b.amount ? 1 : 0))
}

/** Returns why no ticket can be asked for; null where one can. Source: `open_ticket`. */
export function requestObstacle(found: Case, side: Side): string | null {
  const { position, account, vault } = found
  if (vault.exit_level === 4) return 'In Resolution nothing is queued: claims pay what there is.'
  if (position.tickets.slots.every(({ state }) => state !== 0)) return `All ${position.tickets.slots.length} tickets of the position are in use: claim or cancel one first.`
  if (side === COLLATERAL && debtOf(position, account, vault) > 0n) return 'Collateral behind a debt can’t be queued: repay first.'
  return null
}

/** When a ticket that is asked for now could be due, unix seconds: a full hour pushes it back. */
export function datesOf({ vault, nowTs }: Case): { eligibleTs: number; latestTs: number } {
  const hours = FIRST_HOURS + (vault.exit_level >= 2 ? RESTRICTED_HOURS : 0)
  const eligibleTs = (Math.floor(nowTs / HOUR_SECS) + hours) * HOUR_SECS
  return { eligibleTs, latestTs: eligibleTs + HOLD_SECS }
}

/** Returns what a ticket locks for an amount: all that is free where the amount is all of its worth. */
export function unitsFor(found: Case, side: Side, amount: bigint): bigint {
  const free = freeUnits(found, side)
  if (side === COLLATERAL || amount >= inTokens(found, side, free)) return side === COLLATERAL ? least(amount, free) : free
  return sharesFor(amount, found.vault.lenders_amount, u128(found.account.supplyShares), free)
}

/** Returns what a ticket is worth now, base units; a liquidation may have taken part of what it locks. */
export function ticketWorth(found: Case, { ticket }: Numbered): bigint {
  const side = ticket.side === LENT ? LENT : COLLATERAL
  const held = side === LENT ? u128(found.position.supplyShares) : found.position.collateralAmount
  return inTokens(found, side, least(u128(ticket.shares), held))
}

interface Of {
  vault: Held<VaultAccount>
  position: Position
}

async function accountsOf({ vault: { address: at, value }, position }: Of) {
  const vault = address(at)
  const [own] = await findPositionPda({ vault, owner: position.owner })
  const { guard, collateralAsset, loanAsset } = value
  return { owner: createNoopSigner(position.owner), guard, collateralAsset, loanAsset, vault, position: own }
}

/** Builds what queues units of a side: shares, or base units of collateral. The owner signs. */
export async function requestInstructions(of: Of, side: Side, units: bigint): Promise<Instruction[]> {
  return [getRequestWithdrawalInstruction({ ...(await accountsOf(of)), shares: units, side })]
}

/** Builds what gives a ticket back. Nothing leaves. */
export async function cancelInstructions(of: Of, ticket: number): Promise<Instruction[]> {
  const { owner, vault, position } = await accountsOf(of)
  return [getCancelWithdrawalInstruction({ owner, vault, position, ticket })]
}

/** What can't be paid stays in the ticket, so that any payment will do. */
const ANY_AMOUNT = 1n

/** Builds what pays a ticket into the owner's own token account, which is opened where there is none. `asset` is of the mint that moves. */
export async function claimInstructions(of: Of, { number, ticket }: Numbered, asset: Asset): Promise<Instruction[]> {
  const common = await accountsOf(of)
  const { loanMint, loanToken, collateralMint, collateralToken } = of.vault.value
  const token = await tokenOf(of.position.owner, asset)
  const to = { ...common, ownerToken: token, tokenProgram: asset.tokenProgram, args: { ticket: number, minAmount: ANY_AMOUNT } }
  const claim = ticket.side === LENT ? getClaimWithdrawalInstruction({ ...to, loanMint, loanToken }) : getClaimCollateralInstruction({ ...to, collateralMint, collateralToken })
  return [openToken(of.position.owner, token, asset), claim]
}
