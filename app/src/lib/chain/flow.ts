import type { Budget, DayBase, DayRing, FlowLimits, OutflowLimiter } from '@/generated'
import { u128 } from '@/lib/accounts'
import type { Gauge } from '@/lib/schema/view'

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

function gauge(budget: Budget, hourLimit: bigint, dayLimit: bigint, nowTs: number): Gauge {
  return {
    // The bucket of an hour holds half of its limit; the other half leaks out within the hour.
    hour_used_amount: least(hourUsed(budget, nowTs), hourLimit / 2n),
    hour_limit_amount: hourLimit / 2n,
    day_used_amount: lastDay(budget.day, nowTs),
    day_limit_amount: dayLimit,
  }
}

/** Returns how much of a limiter's two budgets is used. Source: `budgets` of the keeper's view. */
export function gaugesOf(flow: OutflowLimiter, limits: FlowLimits, nowTs: number): { exit: Gauge; risk: Gauge } {
  const base = baseAt(flow.base, nowTs)
  const whole = (bps: number) => most(shareOf(base, bps), limits.absoluteFloorAmount)
  const [hour, day] = [whole(limits.hourlyBps), whole(limits.dailyBps)]
  const [exitHour, exitDay] = [shareOf(hour, limits.exitShareBps), shareOf(day, limits.exitShareBps)]
  return { exit: gauge(flow.exit, exitHour, exitDay, nowTs), risk: gauge(flow.risk, hour - exitHour, day - exitDay, nowTs) }
}
