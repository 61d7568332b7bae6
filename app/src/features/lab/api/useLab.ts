import { useEffect, useState } from 'react'
import { env } from '@/config/env'
import { BadShape } from '@/lib/failure'
import { parse } from '@/lib/parse'
import { Backtest } from '@/lib/schema/lab'

/** The lab's results as far as there are any. */
export interface Lab {
  /** The comparison; null where there is none. */
  backtest: Backtest | null
  /** Where it came from. */
  origin: string | null
  /** Why a file can't be shown. */
  refusal: string | null
  /** Whether the served results are still being asked for. */
  isReading: boolean
  /** Shows a file of the reader's. */
  open: (file: File) => void
}

async function served(signal: AbortSignal): Promise<Backtest | null> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(env.requestMs)])
  const answer = await fetch(env.labResults, { signal: limited, cache: 'no-store' })
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false
  return answer.ok && isJson ? parse(Backtest, await answer.json()) : null
}

/** Reads the lab's results: those that are served beside the app, or a file that the reader opens. */
export function useLab(): Lab {
  const [state, setState] = useState<Omit<Lab, 'open'>>({ backtest: null, origin: null, refusal: null, isReading: true })
  useEffect(() => {
    const stop = new AbortController()
    served(stop.signal).then(
      (backtest) => {
        setState((before) => (before.origin === null ? { backtest, origin: backtest && env.labResults, refusal: null, isReading: false } : before))
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setState({ backtest: null, origin: null, refusal: error instanceof BadShape ? error.message : null, isReading: false })
      },
    )
    return () => {
      stop.abort()
    }
  }, [])
  const open = (file: File) => {
    file.text().then(
      (text) => {
        setState({ backtest: parse(Backtest, JSON.parse(text)), origin: file.name, refusal: null, isReading: false })
      },
    ).catch(() => {
      setState((before) => ({ ...before, refusal: `${file.name} isn’t what the lab writes.`, isReading: false }))
    })
  }
  return { ...state, open }
}
