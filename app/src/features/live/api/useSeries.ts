import { useEffect, useState } from 'react'
import { env } from '@/config/env'
import { merged, sampleOf, withSample } from '@/lib/series'
import type { Sample, View } from '@/lib/schema/view'
import { fetchHistory } from '@/features/live/api/client'

/** Price samples by asset address, oldest first. */
export type SeriesByAsset = Readonly<Record<string, readonly Sample[]>>

function extended(series: SeriesByAsset, view: View): SeriesByAsset {
  const entries = view.assets.map((asset) => {
    const sample = sampleOf(asset, view.chain.unix_ts)
    return [asset.address, withSample(series[asset.address] ?? [], sample, env.keep.samples)] as const
  })
  return Object.fromEntries(entries)
}

/**
 * Keeps each asset's price series: the keeper's history once per connection, then a sample of every state.
 *
 * `isUp` falling and rising again reads the history anew, so that a gap of the link isn't a gap of the chart.
 */
export function useSeries(view: View | null, isUp: boolean): SeriesByAsset {
  const [series, setSeries] = useState<SeriesByAsset>({})
  const [shown, setShown] = useState<View | null>(null)
  if (view !== null && view !== shown) {
    setShown(view)
    setSeries(extended(series, view))
  }
  const addresses = view?.assets.map(({ address }) => address).join(' ') ?? ''
  useEffect(() => {
    const stop = new AbortController()
    const read = async (address: string) => {
      // Without a history the chart starts with the live samples.
      const history = await fetchHistory(address, stop.signal).catch((): Sample[] => [])
      if (stop.signal.aborted) return
      setSeries((all) => ({ ...all, [address]: merged(history, all[address] ?? [], env.keep.samples) }))
    }
    if (isUp) for (const address of addresses.split(' ').filter(Boolean)) void read(address)
    return () => {
      stop.abort()
    }
  }, [addresses, isUp])
  return series
}
