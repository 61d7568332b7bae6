import type { Kept } from '@/lib/schema/kept'
import type { Event } from '@/lib/schema/view'

/** Kinds of event the keeper sends, by the group they are shown in. */
export const EVENT_KINDS = {
  levels: [
    'breaker_tripped',
    'breaker_stepped_down',
    'rule_became_true',
    'rule_cleared',
    'rule_blind',
    'rule_seeing',
    'level_changed',
    'levels_paused',
    'trip_asked',
  ],
  positions: ['position_liquidated', 'position_deleveraged'],
  transactions: [
    'transaction_landed',
    'transaction_failed',
    'transaction_lost_race',
    'transaction_expired',
    'transaction_unknown',
  ],
  governance: ['change_proposed', 'settings_changed', 'roles_changed', 'keeper_set_changed', 'authority_sign'],
  keeper: [
    'source_down',
    'source_up',
    'keeper_started',
    'keeper_stopping',
    'keeper_ready',
    'keeper_not_ready',
    'crash_recovered',
    'class_paused',
    'class_resumed',
    'task_restarted',
    'settings_reloaded',
    'settings_refused',
    'fleet_role_changed',
    'fleet_engine_down',
    'fleet_engine_up',
  ],
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
  authority_sign: 'alarm',
  levels_paused: 'alarm',
  keeper_not_ready: 'alarm',
  fleet_engine_down: 'alarm',
  settings_refused: 'alarm',
  rule_became_true: 'watch',
  rule_blind: 'watch',
  position_deleveraged: 'watch',
  transaction_expired: 'watch',
  transaction_unknown: 'watch',
  keeper_stopping: 'watch',
  level_changed: 'watch',
  trip_asked: 'watch',
  change_proposed: 'watch',
  settings_changed: 'watch',
  roles_changed: 'watch',
  keeper_set_changed: 'watch',
  class_paused: 'watch',
  task_restarted: 'watch',
  breaker_stepped_down: 'good',
  rule_cleared: 'good',
  rule_seeing: 'good',
  source_up: 'good',
  keeper_ready: 'good',
  class_resumed: 'good',
  fleet_engine_up: 'good',
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

/** What an event is of: a transaction, or the account whose change told of it; null for one that names neither. */
export type Origin = { signature: string } | { account: string; what: 'rule or group' | 'position' } | null

interface Fence {
  account: string
  what: 'rule or group' | 'position'
  /** The fence after the act: an act names the one before it. */
  moved: number
  classes: readonly string[]
}

function fenceOf({ kind, fields: { rule, trip_epoch, position, liquidation_seq } }: Event): Fence | null {
  if (kind === 'breaker_tripped' && rule !== null && trip_epoch !== null) return { account: rule, what: 'rule or group', moved: trip_epoch, classes: ['trip'] }
  const isReduced = kind === 'position_liquidated' || kind === 'position_deleveraged'
  return isReduced && position !== null && liquidation_seq !== null ? { account: position, what: 'position', moved: liquidation_seq, classes: ['liquidate', 'deleverage'] } : null
}

/**
 * Returns what an event is of. An event that an account's change told of has the signature of this keeper's own act where that landed
 * on the very fence that moved: the program lets one act through for each. Of another's act only the account is known.
 */
export function originOf(event: Event, decisions: readonly Kept[]): Origin {
  if (event.fields.signature !== null) return { signature: event.fields.signature }
  const fence = fenceOf(event)
  if (fence === null) return null
  const own = decisions.find((made) => made.subject === fence.account && fence.classes.includes(made.class ?? '') && made.fence === String(fence.moved - 1) && made.outcome === 'landed')
  return own?.signature === null || own === undefined ? { account: fence.account, what: fence.what } : { signature: own.signature }
}
