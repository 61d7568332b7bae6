import { useEffect, useState } from 'react'
import { env } from '@/config/env'
import { type Link, NO_LINK, received } from '@/lib/connection'
import { fetchView } from '@/features/live/api/client'
import { asFailure } from '@/features/live/api/usePolled'

/** Polls the keeper's state: one request at a time, the next one `pollMs` after the last. */
export function usePolledView(): Link {
  const [link, setLink] = useState<Link>(NO_LINK)
  useEffect(() => {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const poll = async () => {
      try {
        const view = await fetchView(stop.signal)
        if (!stop.signal.aborted) setLink((before) => received(before, view, Date.now()))
      } catch (error) {
        if (!stop.signal.aborted) setLink((before) => ({ ...before, failure: asFailure(error) }))
      }
      if (!stop.signal.aborted) timer = setTimeout(() => void poll(), env.pollMs)
    }
    void poll()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [])
  return link
}
