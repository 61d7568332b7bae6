import { useEffect, useState } from 'react'
import { env } from '@/config/env'
import { BadShape, BadStatus, type Failure, NoKeeper, Unreachable } from '@/lib/failure'

/** Something that is asked for again and again. */
export interface Polled<T> {
  /** The newest answer; null before the first. */
  value: T | null
  /** Why the last request brought nothing; null when it did. */
  failure: Failure | null
}

const NOTHING = { value: null, failure: null }

/** Returns an error as one of the failures that screens tell apart. */
export function asFailure(error: unknown): Failure {
  const isKnown = error instanceof BadShape || error instanceof BadStatus || error instanceof Unreachable || error instanceof NoKeeper
  return isKnown ? error : new Unreachable(env.isAlone ? 'The RPC endpoint can’t be reached.' : 'The keeper can’t be reached.', { cause: error })
}

/** Asks with `ask` every few seconds, one request at a time. A new `key` starts anew; null asks nothing. */
export function usePolled<T>(key: string | null, ask: (signal: AbortSignal) => Promise<T>, everyMs: number = env.accountsMs): Polled<T> {
  const [polled, setPolled] = useState<Polled<T> & { key: string | null }>({ ...NOTHING, key })
  useEffect(() => {
    if (key === null) return undefined
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const turn = async () => {
      try {
        const value = await ask(stop.signal)
        if (!stop.signal.aborted) setPolled({ key, value, failure: null })
      } catch (error) {
        const failure = asFailure(error)
        if (!stop.signal.aborted) setPolled((before) => ({ key, value: before.key === key ? before.value : null, failure }))
      }
      if (!stop.signal.aborted) timer = setTimeout(() => void turn(), everyMs)
    }
    void turn()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
    // `ask` is new at each render; `key` says what it asks for.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key])
  return polled.key === key ? polled : NOTHING
}
