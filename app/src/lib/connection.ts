import { BadShape, BadStatus, type Failure } from '@/lib/failure'
import type { View } from '@/lib/schema/view'

/** What is known of the link to the keeper. */
export interface Link {
  /** The newest state, with the browser's time at which it came. */
  view: View | null
  /** Browser time of the last answer, milliseconds; null before the first. */
  receivedMs: number | null
  /** Browser time at which the state last moved on (its slot or its clock). */
  advancedMs: number | null
  /** The failure of the last request; null when it succeeded. */
  failure: Failure | null
}

/** How far what is on screen can be trusted. */
export type Health = 'loading' | 'live' | 'stale' | 'disconnected' | 'error'

/** The link before the first answer. */
export const NO_LINK: Link = { view: null, receivedMs: null, advancedMs: null, failure: null }

/** Returns the health of a link. A state that no longer moves on is stale, even if the keeper still answers. */
export function healthOf(link: Link, nowMs: number, staleMs: number): Health {
  if (link.failure instanceof BadShape || link.failure instanceof BadStatus) return 'error'
  if (link.failure !== null) return 'disconnected'
  if (link.advancedMs === null) return 'loading'
  return nowMs - link.advancedMs > staleMs ? 'stale' : 'live'
}

/** Returns the link after an answer. */
export function received(link: Link, view: View, nowMs: number): Link {
  const before = link.view?.chain
  const moved = before === undefined || before.slot !== view.chain.slot || before.unix_ts !== view.chain.unix_ts
  return { view, receivedMs: nowMs, advancedMs: moved ? nowMs : link.advancedMs, failure: null }
}

/** Returns the chain's time now: the clock in the state, moved on by the time since it came. */
export function chainNow(link: Link, nowMs: number): number {
  if (link.view === null) return Math.floor(nowMs / 1_000)
  const since = Math.max(0, nowMs - (link.advancedMs ?? nowMs))
  return link.view.chain.unix_ts + Math.floor(since / 1_000)
}
