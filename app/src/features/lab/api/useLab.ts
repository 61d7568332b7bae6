import { useEffect, useState } from 'react'
import { env } from '@/config/env'
import { BadShape } from '@/lib/failure'
import { type Run, readResult } from '@/lib/lab'
import { parse } from '@/lib/parse'
import { Index } from '@/lib/schema/lab'

/** The lab's results as far as there are any. */
export interface Lab {
  /** Results that are served, then those that the reader opened. */
  runs: readonly Run[]
  /** Why files can't be shown. */
  refusals: readonly string[]
  /** Whether the served results are still being asked for. */
  isReading: boolean
  /** Shows files of the reader's. */
  open: (files: readonly File[]) => void
}

/** Larger files of the lab aren't read here. */
const LARGEST = 16 << 20

/** Asks for a file beside the app: a keeper or a host answers what isn't there with the page itself, or with 404. */
async function textOf(name: string, signal: AbortSignal): Promise<string | null> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(env.requestMs)])
  const answer = await fetch(`${env.labFolder}${name}`, { signal: limited, cache: 'no-store' })
  const isPage = answer.headers.get('content-type')?.includes('html') ?? false
  return answer.ok && !isPage ? answer.text() : null
}

/** The one result that a keeper serves. */
const ALONE = 'backtest.json'

async function listed(signal: AbortSignal): Promise<readonly string[]> {
  const text = await textOf('index.json', signal)
  return text === null ? [ALONE] : parse(Index, JSON.parse(text), 'lab/index.json').results
}

type Found = { run: Run } | { refusal: string }

const refused = (origin: string, error: unknown): Found => ({ refusal: error instanceof BadShape ? `${origin}: ${error.message}` : `${origin} isn’t what the lab writes.` })

function read(origin: string, text: string): Found {
  try {
    return { run: { origin, result: readResult(text) } }
  } catch (error) {
    return refused(origin, error)
  }
}

async function served(signal: AbortSignal): Promise<Found[]> {
  const names = await listed(signal)
  const all = await Promise.all(names.map(async (name) => ({ name, text: await textOf(name, signal).catch(() => null) })))
  return all.flatMap(({ name, text }) => {
    if (text !== null) return [read(`${env.labFolder}${name}`, text)]
    // without a list nobody said that there is one
    return name === ALONE && names.length === 1 ? [] : [{ refusal: `${env.labFolder}${name} is in the list, and isn’t there.` }]
  })
}

const opened = async (file: File): Promise<Found> => (file.size > LARGEST ? { refusal: `${file.name} is larger than ${LARGEST >> 20} MB.` } : read(file.name, await file.text()))

/** Adds results: one that is opened again takes the place of the first. */
function added(runs: readonly Run[], found: readonly Found[]): readonly Run[] {
  const next = found.flatMap((one) => ('run' in one ? [one.run] : []))
  return [...runs.filter(({ origin }) => !next.some((run) => run.origin === origin)), ...next]
}

const refusalsOf = (found: readonly Found[]): readonly string[] => found.flatMap((one) => ('refusal' in one ? [one.refusal] : []))

/** Reads the lab's results: those that are served beside the app, and files that the reader opens. */
export function useLab(): Lab {
  const [state, setState] = useState<Omit<Lab, 'open'>>({ runs: [], refusals: [], isReading: true })
  useEffect(() => {
    const stop = new AbortController()
    served(stop.signal).then(
      (found) => {
        setState(({ runs }) => ({ runs: [...added([], found), ...runs], refusals: refusalsOf(found), isReading: false }))
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setState(({ runs }) => ({ runs, refusals: error instanceof BadShape || error instanceof SyntaxError ? refusalsOf([refused('lab/index.json', error)]) : [], isReading: false }))
      },
    )
    return () => {
      stop.abort()
    }
  }, [])
  const open = (files: readonly File[]) => {
    void Promise.all(files.map((file) => opened(file).catch((error: unknown) => refused(file.name, error)))).then((found) => {
      setState(({ runs, isReading }) => ({ runs: added(runs, found), refusals: refusalsOf(found), isReading }))
    })
  }
  return { ...state, open }
}
