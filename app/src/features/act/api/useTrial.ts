import type { Instruction } from '@solana/kit'
import { useEffect, useState } from 'react'
import { messageOf } from '@/features/act/api/useWork'
import { type Simulated, simulate } from '@/features/act/api/transact'
import { TRIAL_MS, type Trial } from '@/lib/act/trial'
import { identityOf } from '@/lib/exported'

/** A simulation: of what, since when, and how it ended. */
interface Run {
  id: string
  instructions: readonly Instruction[]
  askedMs: number
  /** Null while it runs; an error's words where it couldn't be made. */
  outcome: Simulated | string | null
}

const begun = (id: string, instructions: readonly Instruction[]): Run => ({ id, instructions, askedMs: Date.now(), outcome: null })

function trialOf(run: Run | null, id: string, isOld: boolean): Trial {
  if (run === null) return { state: 'untried' }
  if (run.id !== id) return { state: 'moved' }
  const { outcome } = run
  if (outcome === null) return { state: 'running' }
  if (typeof outcome === 'string') return { state: 'unknown', why: outcome }
  if (outcome.failure !== null) return { state: 'fails', why: outcome.failure.replace(/\.$/, ''), isOld }
  return { state: 'passes', effects: outcome.effects, units: outcome.units, isOld }
}

interface Tried {
  trial: Trial
  run: () => void
  /** Returns what was simulated, and is to be signed as it is; null once that is too long ago. */
  toSign: () => readonly Instruction[] | null
}

/** Simulates instructions at a press, and tells what that is worth: nothing once they are others, little after a minute. */
export function useTrial(instructions: readonly Instruction[], authority: string): Tried {
  const [last, setLast] = useState<Run | null>(null)
  const [passedMs, setPassedMs] = useState<number | null>(null)
  const endMs = last === null ? null : last.askedMs + TRIAL_MS
  useEffect(() => {
    if (endMs === null) return undefined
    const timer = setTimeout(() => {
      setPassedMs(endMs)
    }, Math.max(0, endMs - Date.now()))
    return () => {
      clearTimeout(timer)
    }
  }, [endMs])
  const id = identityOf(instructions, authority)
  const run = () => {
    const mine = begun(id, instructions)
    const end = (outcome: Run['outcome']) => {
      setLast((now) => (now === mine ? { ...mine, outcome } : now))
    }
    setLast(mine)
    simulate(instructions, authority, new AbortController().signal).then(end, (error: unknown) => {
      end(messageOf(error))
    })
  }
  const toSign = () => {
    // the timer of a computer that slept is late
    if (last === null || endMs === null || Date.now() >= endMs) {
      setPassedMs(endMs)
      return null
    }
    return last.instructions
  }
  return { trial: trialOf(last, id, endMs !== null && passedMs === endMs), run, toSign }
}
