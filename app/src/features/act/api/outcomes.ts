import { useSyncExternalStore } from 'react'
import type { Sent } from '@/features/act/api/transact'

/** A transaction of this visit, and what became of it. */
export interface Outcome extends Sent {
  /** What was done, in a word or two. */
  what: string
}

const KEPT = 5
let outcomes: readonly Outcome[] = []
const listeners = new Set<() => void>()

/** Notes what became of a transaction: it outlives the form, which may go once its subject has changed. */
export function noteOutcome(outcome: Outcome): void {
  outcomes = [outcome, ...outcomes].slice(0, KEPT)
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

/** Returns the transactions of this visit, newest first. */
export function useOutcomes(): readonly Outcome[] {
  return useSyncExternalStore(subscribe, () => outcomes)
}
