import type { Event } from '@/lib/schema/view'

/** Kinds of event the keeper sends, by the group they are shown in. */
export const EVENT_KINDS = {
  levels: ['breaker_tripped', 'breaker_stepped_down', 'rule_became_true', 'rule_cleared'],
  positions: ['position_liquidated', 'position_deleveraged'],
  transactions: [
    'transaction_landed',
    'transaction_failed',
    'transaction_lost_race',
    'transaction_expired',
    'transaction_unknown',
  ],
  keeper: ['source_down', 'source_up', 'keeper_started', 'keeper_stopping', 'crash_recovered'],
} as const

/** A group of the timeline. */
export type EventGroup = keyof typeof EVENT_KINDS

/** All groups, in order. */
export const EVENT_GROUPS = Object.keys(EVENT_KINDS) as EventGroup[]

/** All kinds, for the stream's subscriptions. */
export const ALL_KINDS: readonly string[] = Object.values(EVENT_KINDS).flat()

/** How an event should be read: bad, worth a look, good, or a plain fact. */
export type Tone = 'alarm' | 'watch' | 'good' | 'plain'

const TONES: Record<string, Tone> = {
  breaker_tripped: 'alarm',
  position_liquidated: 'alarm',
  transaction_failed: 'alarm',
  source_down: 'alarm',
  rule_became_true: 'watch',
  position_deleveraged: 'watch',
  transaction_expired: 'watch',
  transaction_unknown: 'watch',
  keeper_stopping: 'watch',
  breaker_stepped_down: 'good',
  rule_cleared: 'good',
  source_up: 'good',
  crash_recovered: 'good',
}

/** Returns how an event should be read. */
export function toneOf(kind: string): Tone {
  return TONES[kind] ?? 'plain'
}

/** Returns the group of a kind; one that this version doesn't know counts as the keeper's. */
export function groupOf(kind: string): EventGroup {
  return EVENT_GROUPS.find((group) => (EVENT_KINDS[group] as readonly string[]).includes(kind)) ?? 'keeper'
}

/** Returns a kind in words: "breaker_tripped" is "Breaker tripped". */
export function kindText(kind: string): string {
  const words = kind.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Identifies an event: ids start again when the keeper does. */
export function eventKey(event: Event): string {
  return `${event.ts}:${event.id}`
}

/** Adds an event, newest first, each once, at most `keep`. */
export function withEvent(events: readonly Event[], event: Event, keep: number): readonly Event[] {
  const key = eventKey(event)
  if (events.some((known) => eventKey(known) === key)) return events
  return [event, ...events].sort((a, b) => b.ts - a.ts || b.id - a.id).slice(0, keep)
}
