import type { Position, Vault as VaultAccount, WithdrawTicket } from '@/generated'
import { u128 } from '@/lib/accounts'
import type { Gauge, Vault } from '@/lib/schema/view'

// Source: `constants.rs` of the program.
const VIRTUAL_SHARES = 1_000_000n
const VIRTUAL_ASSETS = 1n
const Q64 = 1n << 64n
const DAY_SECS = 86_400
const BPS = 10_000n

/** A bound on what may leave now. */
export interface Bound {
  /** What bounds it. */
  name: string
  /** The most it lets through, base units. */
  amount: bigint
}

/** What a side of a position can take out now, and why not more. */
export interface Out {
  /** What is there, base units. */
  held: bigint
  /** What tickets lock of it. */
  queued: bigint
  /** At most this much now. */
  now: bigint
  /** All bounds, the one that binds first. */
  bounds: Bound[]
}

/** Returns what lent shares are worth, rounded down. Source: `assets_for_shares`. */
export function worthOf(shares: bigint, lenders: bigint, allShares: bigint): bigint {
  return (shares * (lenders + VIRTUAL_ASSETS)) / (allShares + VIRTUAL_SHARES)
}

/** Returns a position's debt, rounded up, at the index of the vault's last accrual. Source: `debt_of`. */
export function debtOf(position: Position, account: VaultAccount): bigint {
  return (u128(position.debtScaled) * u128(account.borrowIndexQ64) + Q64 - 1n) / Q64
}

const least = (bounds: readonly Bound[]): Bound[] => bounds.toSorted((a, b) => (a.amount < b.amount ? -1 : a.amount > b.amount ? 1 : 0))
const left = (limit: bigint, used: bigint): bigint => (limit > used ? limit - used : 0n)

/** Share of its limits that a level leaves to exits, bps. Source: `risk/gate.rs`. */
const EXIT_SHARE: Record<number, bigint> = { 0: BPS, 1: 5_000n }

function limits(gauge: Gauge, exitLevel: number, credit: bigint): Bound[] {
  const share = EXIT_SHARE[exitLevel] ?? 0n
  const room = (limit: bigint, used: bigint) => left((limit * share) / BPS, used) + credit
  return [
    { name: 'left of this hour’s limit', amount: room(gauge.hour_limit_amount, gauge.hour_used_amount) },
    { name: 'left of this day’s limit', amount: room(gauge.day_limit_amount, gauge.day_used_amount) },
  ]
}

/** Returns what the exit floor still lets a position take today, in shares or base units. Source: `ExitFloor::take`. */
export function floorLeft(floor: Position['supplyFloor'], held: bigint, floorBps: number, nowTs: number, isRestricted: boolean): bigint {
  const isNewDay = nowTs - Number(floor.dayStartedTs) >= DAY_SECS
  const used = isNewDay ? 0n : u128(floor.used)
  const base = u128(floor.base) === 0n || (isNewDay && !isRestricted) ? held + used : u128(floor.base)
  const allowed = (base * BigInt(floorBps) + BPS - 1n) / BPS
  return left(allowed, used)
}

const creditLeft = (credit: Position['supplyCredit'], nowTs: number, windowSecs = 3_600): bigint =>
  nowTs - Number(credit.sinceTs) < windowSecs ? credit.amount : 0n

/** What of a position is asked about, and in which vault. */
export interface Case {
  position: Position
  account: VaultAccount
  vault: Vault
  nowTs: number
}

const locked = (position: Position, side: number): bigint =>
  openTickets(position).filter(({ ticket }) => ticket.side === side).reduce((sum, { ticket }) => sum + u128(ticket.shares), 0n)

function outOf(held: bigint, queued: bigint, open: readonly Bound[]): Out {
  const bounds = least([{ name: 'yours and not queued', amount: left(held, queued) }, ...open])
  return { held, queued, now: bounds[0]?.amount ?? 0n, bounds }
}

const CLOSED: Bound = { name: 'in resolution claims are paid in its order', amount: 0n }

/** Returns what a lender can withdraw now, at most. Exits behind the floor are open at every level below Resolution. */
export function lentOut({ position, account, vault, nowTs }: Case): Out {
  const shares = u128(position.supplyShares)
  const worth = (part: bigint) => worthOf(part, vault.lenders_amount, u128(account.supplyShares))
  const [held, queued] = [worth(shares), worth(locked(position, 0))]
  if (vault.exit_level === 4) return outOf(held, queued, [CLOSED])
  const isRestricted = vault.exit_level >= 2
  const floor = { name: 'left of today’s exit floor', amount: worth(floorLeft(position.supplyFloor, shares, vault.exit_floor_bps, nowTs, isRestricted)) }
  const cash = { name: 'cash in the vault', amount: vault.cash_amount }
  if (isRestricted) return outOf(held, queued, [cash, floor])
  const credit = creditLeft(position.supplyCredit, nowTs)
  const [binding] = least(limits(vault.limits.loan.exit, vault.exit_level, credit))
  // where the limits are used up, the floor goes on paying
  return outOf(held, queued, [cash, binding !== undefined && binding.amount < floor.amount ? floor : (binding ?? floor)])
}

/** Whole loan tokens for a whole collateral token, as a fraction of integers. */
function priceOf(text: string): [bigint, bigint] {
  const [whole = '0', fraction = ''] = text.split('.')
  return [BigInt(whole + fraction), 10n ** BigInt(fraction.length)]
}

/** Returns the collateral that a debt needs at the limit for new risk, base units, rounded up; null without a price. */
export function neededFor(debt: bigint, vault: Vault): bigint | null {
  if (debt === 0n) return 0n
  if (vault.price.state !== 'agreed' || vault.price.lo === null || vault.lines.ltv_bps === 0) return null
  const [price, scale] = priceOf(vault.price.lo)
  const top = debt * scale * 10n ** BigInt(vault.collateral_decimals) * BPS
  const bottom = price * 10n ** BigInt(vault.loan_decimals) * BigInt(vault.lines.ltv_bps)
  return bottom === 0n ? null : (top + bottom - 1n) / bottom
}

/** Returns the collateral that can be taken out now, at most. From behind a debt it counts as new risk. */
export function collateralOut({ position, account, vault, nowTs }: Case): Out {
  const [held, queued, debt] = [position.collateralAmount, locked(position, 1), debtOf(position, account)]
  if (debt > 0n) return fromBehindDebt(vault, held, queued, debt)
  if (vault.exit_level === 4) return outOf(held, queued, [CLOSED])
  const isRestricted = vault.exit_level >= 2
  const floor = { name: 'left of today’s exit floor', amount: floorLeft(position.collateralFloor, held, vault.exit_floor_bps, nowTs, isRestricted) }
  if (isRestricted) return outOf(held, queued, [floor])
  const [binding] = least(limits(vault.limits.collateral.exit, vault.exit_level, creditLeft(position.collateralCredit, nowTs)))
  return outOf(held, queued, [binding !== undefined && binding.amount < floor.amount ? floor : (binding ?? floor)])
}

/** Share of its limits that a level leaves to new risk, bps. Source: `risk/gate.rs`. */
const RISK_SHARE: Record<number, bigint> = { 0: BPS, 1: 2_500n }

function fromBehindDebt(vault: Vault, held: bigint, queued: bigint, debt: bigint): Out {
  const share = RISK_SHARE[vault.level] ?? 0n
  if (share === 0n) return outOf(held, queued, [{ name: 'at this level nothing leaves from behind a debt', amount: 0n }])
  const needed = neededFor(debt, vault)
  if (needed === null) return outOf(held, queued, [{ name: 'waits for an agreed price', amount: 0n }])
  const gauge = vault.limits.collateral.risk
  const room = (limit: bigint, used: bigint) => left((limit * share) / BPS, used)
  return outOf(held, queued, [
    { name: 'beyond what your debt needs', amount: left(held, needed) },
    { name: 'left of this hour’s limit', amount: room(gauge.hour_limit_amount, gauge.hour_used_amount) },
    { name: 'left of this day’s limit', amount: room(gauge.day_limit_amount, gauge.day_used_amount) },
  ])
}

/** A ticket with its number. */
export interface Numbered {
  number: number
  ticket: WithdrawTicket
}

/** Returns a position's open tickets, the one that is due first on top. */
export function openTickets(position: Position): Numbered[] {
  const all = position.tickets.slots.map((ticket, number) => ({ number, ticket }))
  return all.filter(({ ticket }) => ticket.state !== 0).sort((a, b) => Number(a.ticket.eligibleAtTs - b.ticket.eligibleAtTs))
}

/** How a ticket stands. Source: `WithdrawTicket::require_ripe`. */
export type TicketStage = 'waiting' | 'claimable' | 'held' | 'due'

/** Returns how a ticket stands: while exits are restricted a ripe one waits for its latest date, then passes for a day. */
export function ticketStage(ticket: WithdrawTicket, isRestricted: boolean, nowTs: number): TicketStage {
  const [eligible, latest] = [Number(ticket.eligibleAtTs), Number(ticket.latestAtTs)]
  if (nowTs < eligible) return 'waiting'
  if (!isRestricted) return 'claimable'
  return nowTs >= latest && nowTs < latest + DAY_SECS ? 'due' : 'held'
}

/** Returns a debt's share of the collateral's value, bps, rounded up; null without a price. */
export function ltvBps(debt: bigint, collateral: bigint, vault: Vault): number | null {
  if (vault.price.state === 'indeterminate' || vault.price.hi === null || collateral === 0n) return null
  const [price, scale] = priceOf(vault.price.hi)
  const value = price * collateral * 10n ** BigInt(vault.loan_decimals)
  const owed = debt * scale * 10n ** BigInt(vault.collateral_decimals)
  return value === 0n ? null : Number((owed * BPS + value - 1n) / value)
}

/** Returns the price at which a loan-to-value reaches the liquidation line, as a decimal; null without a price. */
export function liquidationPrice(ltv: number, vault: Vault): string | null {
  const { hi, state } = vault.price
  if (hi === null || state === 'indeterminate' || vault.lines.liquidation_line_bps === 0) return null
  const [price, scale] = priceOf(hi)
  const scaled = (price * BigInt(ltv) * 1_000_000n) / (scale * BigInt(vault.lines.liquidation_line_bps))
  return `${scaled / 1_000_000n}.${(scaled % 1_000_000n).toString().padStart(6, '0')}`
}
