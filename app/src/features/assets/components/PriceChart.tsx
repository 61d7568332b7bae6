import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { INKS, chartOptions, inkReader } from '@/features/assets/api/chart'
import { type Columns, columnsOf } from '@/lib/series'
import type { Sample } from '@/lib/schema/view'

const HEIGHT = 210

/** Draws a price with its reference and confidence band. Not readable without sight: pair it with a table. */
export function PriceChart({ samples, label }: { samples: readonly Sample[]; label: string }) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const columns = useRef<Columns>([[]])
  useEffect(() => {
    columns.current = columnsOf(samples)
    plot.current?.setData(columns.current)
  }, [samples])
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const size = () => ({ width: Math.max(200, element.clientWidth), height: HEIGHT })
    const options = chartOptions(size().width, HEIGHT, inkReader(element))
    const drawn = new uPlot(options, columns.current, element)
    plot.current = drawn
    const resized = new ResizeObserver(() => {
      drawn.setSize(size())
    })
    resized.observe(element)
    return () => {
      resized.disconnect()
      drawn.destroy()
      plot.current = null
    }
  }, [])
  return (
    <div className="chart" ref={box} role="img" aria-label={label}>
      {INKS.map((ink) => (
        <span key={ink} className={`ink ink-${ink}`} />
      ))}
    </div>
  )
}
