import type { Bookings, Budget, DayBase, DayRing, FlowLimits, OutflowLimiter } from '@/generated'
import { u128 } from '@/lib/accounts'
import type { Gauge, Vault } from '@/lib/schema/view'

const HOUR_SECS = 3_600
const DAY_SECS = 86_400
const BPS = 10_000n

/** Returns what a ring of hours holds of the last day. Source: `DayRing::settle`. */
export function lastDay(ring: DayRing, nowTs: number): bigint {
  const hour = Math.floor(nowTs / HOUR_SECS)
  const newest = Number(ring.newestHour)
  const size = ring.cells.length
  return ring.cells.reduce((sum, cell, index) => {
    const behind = (((newest - index) % size) + size) % size
    return newest - behind > hour - size ? sum + cell : sum
  }, 0n)
}

/** Returns what of an hour's limit is used: the bucket after it has leaked, rounded up. Source: `LeakyBucket`. */
export function hourUsed({ hour }: Budget, nowTs: number): bigint {
  const elapsed = BigInt(Math.max(0, nowTs - Number(hour.lastTs)))
  const left = u128(hour.usedScaled) - (hour.limit / 2n) * elapsed
  return left <= 0n ? 0n : (left + BigInt(HOUR_SECS) - 1n) / BigInt(HOUR_SECS)
}

const shareOf = (amount: bigint, bps: number): bigint => (amount * BigInt(bps)) / BPS
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** Returns the base of the percentages: the mean of the last whole day, at most what was noted last. Source: `DayBase::settle`. */
export function baseAt(base: DayBase, nowTs: number): bigint {
  const last = Math.max(Number(base.lastTs), nowTs)
  const daySecs = last - Number(base.startedTs)
  if (daySecs < DAY_SECS) return base.amount
  const weighted = u128(base.weighted) + base.lastAmount * BigInt(last - Number(base.lastTs))
  return least(weighted / BigInt(daySecs), base.lastAmount)
}

/** What tickets have booked of this hour and the next, and what live exits have to leave free of a day. */
export interface Held {
  hours: bigint
  day: bigint
}

const CELLS = 256
const PAST_HOURS = 24

/** What the ring holds of an hour, where it still counts. */
function leftIn(ring: DayRing, hour: number, now: number): bigint {
  const newest = Number(ring.newestHour)
  const isKept = hour <= newest && hour > newest - ring.cells.length && hour > now - ring.cells.length
  return isKept ? (ring.cells[hour % ring.cells.length] ?? 0n) : 0n
}

/** Returns what live exits have to leave to tickets. Source: `Bookings::held`. */
export function heldBy(bookings: Bookings, ring: DayRing, nowTs: number): Held {
  if (bookings.totalAmount === 0n) return { hours: 0n, day: 0n }
  const hour = Math.floor(nowTs / HOUR_SECS)
  // Cells that were let go by then, or are beyond what was ever booked, hold nothing.
  const booked = (at: number) => (at < Number(bookings.hour) - PAST_HOURS || at >= Number(bookings.hour) - PAST_HOURS + CELLS ? 0n : (bookings.cells[at % CELLS] ?? 0n))
  const paid = Number(bookings.hour) === hour ? bookings.paidAmount : 0n
  const thisHour = most(booked(hour) - paid, 0n)
  const left = lastDay(ring, nowTs)
  let sum = left + thisHour
  let widest = sum
  for (let ahead = 1; ahead <= PAST_HOURS; ahead += 1) {
    sum = most(sum - leftIn(ring, hour - PAST_HOURS - 1 + ahead, hour), 0n) + booked(hour + ahead)
    widest = most(widest, sum)
  }
  return { hours: thisHour + booked(hour + 1), day: widest - left }
}

interface Share {
  hourLimit: bigint
  dayLimit: bigint
  scaleBps: number
  reserveBps: number
  held: Held
}

/** What a budget lets through now. Source: `OutflowLimiter::charge`. */
function usable(budget: Budget, { hourLimit, dayLimit, scaleBps, reserveBps, held }: Share, nowTs: number): { hour: bigint; day: bigint } {
  const [bucket, day] = [shareOf(hourLimit, scaleBps) / 2n, shareOf(dayLimit, scaleBps)]
  const hour = bucket - shareOf(bucket, reserveBps) - held.hours - hourUsed(budget, nowTs)
  return { hour: most(hour, 0n), day: most(day - shareOf(day, reserveBps) - held.day - lastDay(budget.day, nowTs), 0n) }
}

function gauge(budget: Budget, share: Share, nowTs: number): Gauge {
  const left = usable(budget, share, nowTs)
  return {
    // The bucket of an hour holds half of its limit; the other half leaks out within the hour.
    hour_used_amount: least(hourUsed(budget, nowTs), share.hourLimit / 2n),
    hour_limit_amount: share.hourLimit / 2n,
    day_used_amount: lastDay(budget.day, nowTs),
    day_limit_amount: share.dayLimit,
    hour_usable_amount: left.hour,
    day_usable_amount: left.day,
  }
}

/** What only the exit floor may use, and how much of that is used. */
function floorGauge(budget: Budget, share: Share, reserveBps: number, nowTs: number): Gauge {
  const left = usable(budget, share, nowTs)
  const [hour, day] = [shareOf(share.hourLimit / 2n, reserveBps), shareOf(share.dayLimit, reserveBps)]
  return {
    hour_used_amount: most(hour - left.hour, 0n),
    hour_limit_amount: hour,
    day_used_amount: most(day - left.day, 0n),
    day_limit_amount: day,
    hour_usable_amount: left.hour,
    day_usable_amount: left.day,
  }
}

/** Share of its limits that a level leaves to exits and to new risk, bps; the exit floor is another way. Source: `risk/gate.rs`. */
const SCALES: Record<number, { exit: number; risk: number }> = { 0: { exit: 10_000, risk: 10_000 }, 1: { exit: 5_000, risk: 2_500 } }

/** Returns how much of a limiter's two budgets is used, and what they let through now. Source: `room` of the keeper's view. */
export function gaugesOf(flow: OutflowLimiter, limits: FlowLimits, nowTs: number, levels: { exit: number; risk: number }): Vault['limits']['loan'] {
  const base = baseAt(flow.base, nowTs)
  const allowed = (bps: number) => most(shareOf(base, bps), limits.absoluteFloorAmount)
  const [hour, day] = [allowed(limits.hourlyBps), allowed(limits.dailyBps)]
  const [exitHour, exitDay] = [shareOf(hour, limits.exitShareBps), shareOf(day, limits.exitShareBps)]
  const nothing = { hours: 0n, day: 0n }
  const whole = { hourLimit: exitHour, dayLimit: exitDay, scaleBps: 10_000, reserveBps: 0, held: nothing }
  const exit = { ...whole, scaleBps: SCALES[levels.exit]?.exit ?? 0, reserveBps: limits.floorReserveBps, held: heldBy(flow.bookings, flow.exit.day, nowTs) }
  const risk = { ...whole, hourLimit: hour - exitHour, dayLimit: day - exitDay, scaleBps: SCALES[levels.risk]?.risk ?? 0 }
  return {
    exit: gauge(flow.exit, exit, nowTs),
    risk: gauge(flow.risk, risk, nowTs),
    floor: floorGauge(flow.exit, whole, limits.floorReserveBps, nowTs),
    lease_amount: null,
  }
}
