import type { Position, Vault as VaultAccount, WithdrawTicket } from '@/generated'
import { u128 } from '@/lib/accounts'
import { gaugesOf } from '@/lib/chain/flow'
import type { Vault } from '@/lib/schema/view'

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
  /** What else could bind and isn't counted here. */
  uncounted: string[]
  /** In Resolution, when claims are paid; null outside of it. */
  claims: Claims | null
}

/** When claims of a Resolution are paid, unix seconds. */
export interface Claims {
  /** From then on by the owner. */
  openTs: number
  /** From then on by anybody, to the owner. */
  forcedTs: number
}

/** Returns what lent shares are worth, rounded down. Source: `assets_for_shares`. */
export function worthOf(shares: bigint, lenders: bigint, allShares: bigint): bigint {
  return (shares * (lenders + VIRTUAL_ASSETS)) / (allShares + VIRTUAL_SHARES)
}

/** Returns the growth of debt: accrued until now where a keeper does that, else as of the vault's last use. */
export function indexOf(account: VaultAccount, vault: Pick<Vault, 'borrow_index_q64'>): bigint {
  const stored = u128(account.borrowIndexQ64)
  return vault.borrow_index_q64 !== null && vault.borrow_index_q64 > stored ? vault.borrow_index_q64 : stored
}

/** Returns a position's debt, rounded up. Source: `debt_of`. */
export function debtOf(position: Position, account: VaultAccount, vault: Pick<Vault, 'borrow_index_q64'>): bigint {
  return (u128(position.debtScaled) * indexOf(account, vault) + Q64 - 1n) / Q64
}

const least = (bounds: readonly Bound[]): Bound[] => bounds.toSorted((a, b) => (a.amount < b.amount ? -1 : a.amount > b.amount ? 1 : 0))
const left = (limit: bigint, used: bigint): bigint => (limit > used ? limit - used : 0n)

/** Tells whether a keeper judged the vault by the program's own code: without one, or with an older one, less is counted. */
const isJudged = (vault: Vault): boolean => vault.borrow_index_q64 !== null

/** The budgets of one mint: as the keeper tells what they let through, else as the account says. */
function budgetsOf({ account, vault, nowTs }: Case, side: 'loan' | 'collateral'): Vault['limits']['loan'] {
  const told = vault.limits[side]
  if (told.exit.hour_usable_amount !== null) return told
  const [flow, limits] = side === 'loan' ? [account.loanFlow, account.limits.loanFlow] : [account.collateralFlow, account.limits.collateralFlow]
  return gaugesOf(flow, limits, nowTs, { exit: vault.exit_level, risk: vault.level })
}

/** What a budget lets through, after what is held back for the exit floor and booked by tickets. */
function limits(found: Case, side: 'loan' | 'collateral', way: 'exit' | 'risk', credit: bigint): Bound[] {
  const budgets = budgetsOf(found, side)
  const gauge = budgets[way]
  const lease = budgets.lease_amount
  return [
    { name: 'left of this hour’s limit', amount: (gauge.hour_usable_amount ?? 0n) + credit },
    { name: 'left of this day’s limit', amount: (gauge.day_usable_amount ?? 0n) + credit },
    ...(lease === null ? [] : [{ name: 'left of what the vault has leased of the dollar limit', amount: lease + credit }]),
  ]
}

/** What the exit floor lets through: of its own day, and of the whole budget of exits. */
function throughFloor(found: Case, side: 'loan' | 'collateral', ofPosition: bigint, credit: bigint): Bound {
  const floor = budgetsOf(found, side).floor
  const [bound] = least([
    { name: 'left of today’s exit floor', amount: ofPosition },
    { name: 'left of this hour’s limit, its reserve included', amount: (floor?.hour_usable_amount ?? 0n) + credit },
    { name: 'left of this day’s limit, its reserve included', amount: (floor?.day_usable_amount ?? 0n) + credit },
  ])
  return bound ?? { name: 'left of today’s exit floor', amount: 0n }
}

/** The limit that binds; where it lets less through than the floor, the floor goes on paying. */
function atLeast(floor: Bound, limits: readonly Bound[]): Bound {
  const [binding] = least(limits)
  return binding === undefined || binding.amount < floor.amount ? floor : binding
}

function uncountedOf(vault: Vault): string[] {
  const always = 'what is missing from the vault’s own token account, if anything is'
  return isJudged(vault) ? [always] : [always, 'the guard’s dollar limit, if it has one', 'interest since the vault was last used']
}

/**
 * Returns what the exit floor still lets a position take today, in shares or base units. Source: `ExitFloor::take`.
 *
 * Whether a new episode of restricted exits began is in four accounts: the smaller of both bases is taken, so that no more is
 * said than is paid.
 */
export function floorLeft(floor: Position['supplyFloor'], held: bigint, floorBps: number, nowTs: number, isRestricted: boolean): bigint {
  const isNewDay = nowTs - Number(floor.dayStartedTs) >= DAY_SECS
  const used = isNewDay ? 0n : u128(floor.used)
  const [kept, fresh] = [u128(floor.base), held + used]
  const base = kept === 0n || (isNewDay && !isRestricted) || fresh < kept ? fresh : kept
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

/** Returns what a position’s open tickets lock of a side: shares, or base units of collateral. */
export const lockedOf = (position: Position, side: number): bigint =>
  openTickets(position).filter(({ ticket }) => ticket.side === side).reduce((sum, { ticket }) => sum + u128(ticket.shares), 0n)

function outOf(vault: Vault, held: bigint, queued: bigint, open: readonly Bound[], more: readonly string[] = []): Out {
  const bounds = least([{ name: 'yours and not queued', amount: left(held, queued) }, ...open])
  return { held, queued, now: bounds[0]?.amount ?? 0n, bounds, uncounted: [...uncountedOf(vault), ...more], claims: null }
}

/** What a Resolution pays: nothing before claims open; then `due`. Tickets wait for nothing any more. */
function claimOf({ account, vault, nowTs }: Case, held: bigint, due: Bound): Out {
  const { claimsOpenAtTs, endsAtTs } = account.resolution
  const claims = { openTs: Number(claimsOpenAtTs), forcedTs: Number(endsAtTs) }
  const isOpen = nowTs >= claims.openTs
  const bounds = isOpen ? [due] : least([due, { name: 'claims are not open yet', amount: 0n }])
  return { held, queued: 0n, now: isOpen ? due.amount : 0n, bounds, uncounted: uncountedOf(vault).slice(0, 1), claims }
}

/** Returns what lent shares are due of all cash that came in since a Resolution was entered. Source: `Resolution::due`. */
export function dueOf(position: Position, account: VaultAccount): bigint {
  const { shares, paidAmount } = account.resolution
  if (u128(shares) === 0n) return 0n
  const part = left((u128(position.supplyShares) * (account.cashAmount + paidAmount)) / u128(shares), position.resolutionClaimedAmount)
  return part < account.cashAmount ? part : account.cashAmount
}

/** Returns what a lender can withdraw now, at most. Exits behind the floor are open at every level below Resolution. */
export function lentOut(found: Case): Out {
  const { position, account, vault, nowTs } = found
  const shares = u128(position.supplyShares)
  const worth = (part: bigint) => worthOf(part, vault.lenders_amount, u128(account.supplyShares))
  const [held, queued] = [worth(shares), worth(lockedOf(position, 0))]
  if (vault.exit_level === 4) return claimOf(found, held, { name: 'due of the cash that came in so far', amount: dueOf(position, account) })
  const isRestricted = vault.exit_level >= 2
  const credit = creditLeft(position.supplyCredit, nowTs)
  const ofPosition = worth(floorLeft(position.supplyFloor, shares, vault.exit_floor_bps, nowTs, isRestricted))
  const floor = throughFloor(found, 'loan', ofPosition, credit)
  const cash = { name: 'cash in the vault', amount: vault.cash_amount }
  if (isRestricted) return outOf(vault, held, queued, [cash, floor])
  return outOf(vault, held, queued, [cash, atLeast(floor, limits(found, 'loan', 'exit', credit))])
}

/** Whole loan tokens for a whole collateral token, as a fraction of integers. */
function priceOf(text: string): [bigint, bigint] {
  const [whole = '0', fraction = ''] = text.split('.')
  return [BigInt(whole + fraction), 10n ** BigInt(fraction.length)]
}

/** The price and the limit that new risk is judged at; null while the program would refuse it for want of a price. */
function newRisk(vault: Vault): { price: string; ltvBps: number } | null {
  if (vault.price.state !== 'agreed' || vault.price.lo === null) return null
  // An older keeper tells neither.
  if (!isJudged(vault)) return { price: vault.price.lo, ltvBps: vault.lines.ltv_bps }
  return vault.price_for_new_risk === null || vault.ltv_now_bps === null ? null : { price: vault.price_for_new_risk, ltvBps: vault.ltv_now_bps }
}

const upOf = (top: bigint, bottom: bigint): bigint => (top + bottom - 1n) / bottom

/** Returns the ripe collateral that a debt needs as new risk, base units, rounded up; null where none would do, or no price is known. Source: `require_carried`. */
export function neededFor(debt: bigint, vault: Vault): bigint | null {
  if (debt === 0n) return 0n
  const judged = newRisk(vault)
  if (judged === null || judged.ltvBps === 0) return null
  const [price, scale] = priceOf(judged.price)
  if (price === 0n) return null
  const value = upOf(debt * BPS, BigInt(judged.ltvBps))
  return upOf(value * scale * 10n ** BigInt(vault.collateral_decimals), price * 10n ** BigInt(vault.loan_decimals))
}

/** Returns what of a position's collateral carries no new risk yet. Source: `Unripe::at`. */
export function unripeOf({ unripe }: Position, nowTs: number): bigint {
  return nowTs - Number(unripe.sinceTs) >= DAY_SECS ? 0n : unripe.amount
}

/** Returns the collateral that can be taken out now, at most. From behind a debt it counts as new risk. */
export function collateralOut(found: Case): Out {
  const { position, account, vault, nowTs } = found
  const [held, queued, debt] = [position.collateralAmount, lockedOf(position, 1), debtOf(position, account, vault)]
  if (vault.exit_level === 4) {
    const due = debt > 0n ? { name: 'yours once the debt is repaid', amount: 0n } : { name: 'yours', amount: held }
    return claimOf(found, held, due)
  }
  if (debt > 0n) return fromBehindDebt(found, held, queued, debt)
  const isRestricted = vault.exit_level >= 2
  const credit = creditLeft(position.collateralCredit, nowTs)
  const floor = throughFloor(found, 'collateral', floorLeft(position.collateralFloor, held, vault.exit_floor_bps, nowTs, isRestricted), credit)
  if (isRestricted) return outOf(vault, held, queued, [floor])
  return outOf(vault, held, queued, [atLeast(floor, limits(found, 'collateral', 'exit', credit))])
}

/** From this level on nothing leaves from behind a debt. Source: `risk/gate.rs`. */
const NO_NEW_RISK = 2
const OLDER_KEEPER = 'what volatility, the keepers’ median and a warm-up take off the limit for new risk, and the slower reference price'

function fromBehindDebt(found: Case, held: bigint, queued: bigint, debt: bigint): Out {
  const { position, vault, nowTs } = found
  const more = isJudged(vault) ? [] : [OLDER_KEEPER]
  if (vault.level >= NO_NEW_RISK) return outOf(vault, held, queued, [{ name: 'at this level nothing leaves from behind a debt', amount: 0n }], more)
  const needed = neededFor(debt, vault)
  if (needed === null) {
    const isPriced = newRisk(vault) !== null
    const name = isPriced ? 'the collateral carries no new risk yet' : 'waits for an agreed price and a warm reference'
    return outOf(vault, held, queued, [{ name, amount: 0n }], more)
  }
  const credit = creditLeft(position.collateralCredit, nowTs)
  const unripe = unripeOf(position, nowTs)
  const name = unripe > 0n ? 'beyond what your debt needs, and ripe' : 'beyond what your debt needs'
  return outOf(vault, held, queued, [{ name, amount: left(held, needed + unripe) }, ...limits(found, 'collateral', 'risk', credit)], more)
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

/** What of a vault says how near a position is to liquidation. */
export type Scale = Pick<Vault, 'loan_decimals' | 'collateral_decimals' | 'lines'> & { price: Pick<Vault['price'], 'state' | 'hi'> }

/** Returns a debt's share of the collateral's value, bps, rounded up; null without a price. */
export function ltvBps(debt: bigint, collateral: bigint, vault: Scale): number | null {
  if (vault.price.state === 'indeterminate' || vault.price.hi === null || collateral === 0n) return null
  const [price, scale] = priceOf(vault.price.hi)
  const value = price * collateral * 10n ** BigInt(vault.loan_decimals)
  const owed = debt * scale * 10n ** BigInt(vault.collateral_decimals)
  return value === 0n ? null : Number((owed * BPS + value - 1n) / value)
}

/** Returns the price at which a loan-to-value reaches the liquidation line, as a decimal; null without a price. */
export function liquidationPrice(ltv: number, vault: Scale): string | null {
  const { hi, state } = vault.price
  if (hi === null || state === 'indeterminate' || vault.lines.liquidation_line_bps === 0) return null
  const [price, scale] = priceOf(hi)
  const scaled = (price * BigInt(ltv) * 1_000_000n) / (scale * BigInt(vault.lines.liquidation_line_bps))
  return `${scaled / 1_000_000n}.${(scaled % 1_000_000n).toString().padStart(6, '0')}`
}
