import { useEffect, useState } from 'react'
import { env } from '@/config/env'
import { chainNow, healthOf, type Health, type Link } from '@/lib/connection'
import { type Timeline, useEvents } from '@/features/live/api/useEvents'
import { usePolledView } from '@/features/live/api/usePolledView'
import { type SeriesByAsset, useSeries } from '@/features/live/api/useSeries'

/** All that a page shows of the keeper, at one moment. */
export interface Live {
  /** The link and the newest state. */
  link: Link
  /** How far it can be trusted. */
  health: Health
  /** Chain time now, unix seconds. */
  nowTs: number
  /** Host time now, unix seconds: events carry the keeper's. */
  hostTs: number
  /** Price samples by asset. */
  series: SeriesByAsset
  /** The events. */
  timeline: Timeline
}

function useNowMs(): number {
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => {
      setNowMs(Date.now())
    }, 1_000)
    return () => {
      clearInterval(timer)
    }
  }, [])
  return nowMs
}

/** Returns the keeper's live state. */
export function useLive(): Live {
  const link = usePolledView()
  const nowMs = Math.max(useNowMs(), link.receivedMs ?? 0)
  const health = healthOf(link, nowMs, env.staleMs)
  const series = useSeries(link.view, health === 'live')
  const timeline = useEvents()
  return { link, health, nowTs: chainNow(link, nowMs), hostTs: Math.floor(nowMs / 1_000), series, timeline }
}
