import { useEffect, useState } from 'react'
import { env } from '@/config/env'
import { parse } from '@/lib/parse'
import { Event as FactSchema, type Event as Fact } from '@/lib/schema/view'
import { ALL_KINDS, withEvent } from '@/lib/timeline'

/** The timeline and whether its stream is open. */
export interface Timeline {
  /** Newest first. */
  events: readonly Fact[]
  /** Whether the stream is open; null before the first answer. */
  isOpen: boolean | null
}

/** Reads one message; null for one that isn't an event: a bad message must not end the stream. */
function factOf(data: string): Fact | null {
  try {
    return parse(FactSchema, JSON.parse(data))
  } catch {
    return null
  }
}

/** Opens the stream, and again with growing waits after the browser has given up on it. */
function listen(onFact: (fact: Fact) => void, onOpen: (isOpen: boolean) => void): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let waitMs: number = env.streamRetryMs.first
  const read = (message: MessageEvent<string>) => {
    const fact = factOf(message.data)
    if (fact !== null) onFact(fact)
  }
  const open = () => {
    source = new EventSource(`${env.apiRoot}/events`)
    source.onopen = () => {
      waitMs = env.streamRetryMs.first
      onOpen(true)
    }
    source.onerror = () => {
      onOpen(false)
      if (source?.readyState !== EventSource.CLOSED) return
      timer = setTimeout(open, waitMs)
      waitMs = Math.min(waitMs * 2, env.streamRetryMs.longest)
    }
    for (const kind of ['message', ...ALL_KINDS]) source.addEventListener(kind, read)
  }
  open()
  return () => {
    clearTimeout(timer)
    source?.close()
  }
}

/** Listens to the keeper's events. */
export function useEvents(): Timeline {
  const [events, setEvents] = useState<readonly Fact[]>([])
  const [isOpen, setIsOpen] = useState<boolean | null>(null)
  useEffect(() => {
    // Events are a keeper's: without one there is nothing to listen to.
    if (env.isAlone) return undefined
    return listen((fact) => {
      setEvents((known) => withEvent(known, fact, env.keep.events))
    }, setIsOpen)
  }, [])
  return { events, isOpen }
}
