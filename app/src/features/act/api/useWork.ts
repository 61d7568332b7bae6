import { useState } from 'react'

/** Returns an error in words. */
export const messageOf = (error: unknown): string => (error instanceof Error && error.message !== '' ? error.message : 'It was refused.')

/** Work that a press starts: it runs once at a time, and ends in a value or a reason. */
export interface Work<T> {
  value: T | null
  failure: string | null
  isRunning: boolean
  run: (work: (signal: AbortSignal) => Promise<T>) => void
  /** Forgets how it ended. */
  reset: () => void
}

const IDLE = { value: null, failure: null, isRunning: false }

/** Returns work that a press starts. */
export function useWork<T>(): Work<T> {
  const [state, setState] = useState<{ value: T | null; failure: string | null; isRunning: boolean }>(IDLE)
  const run = (work: (signal: AbortSignal) => Promise<T>) => {
    setState({ ...IDLE, isRunning: true })
    work(new AbortController().signal).then(
      (value) => {
        setState({ ...IDLE, value })
      },
      (error: unknown) => {
        setState({ ...IDLE, failure: messageOf(error) })
      },
    )
  }
  return {
    ...state,
    run,
    reset: () => {
      setState(IDLE)
    },
  }
}
