import { formatUsd } from '@/lib/price'
import type { Sample } from '@/lib/schema/view'
import { thinned } from '@/lib/series'
import { formatClock } from '@/lib/time'

const ROWS = 40

const shown = (price: string | null): string => (price === null ? '–' : formatUsd(price))

/** The chart's samples as a table, newest first, thinned to a readable number of rows. */
export function SampleTable({ samples, name }: { samples: readonly Sample[]; name: string }) {
  return (
    <div className="scroll chart-table" tabIndex={0} role="group" aria-label={`${name}, price samples`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col" className="number">
              Price
            </th>
            <th scope="col" className="number">
              Reference
            </th>
            <th scope="col" className="number">
              Low
            </th>
            <th scope="col" className="number">
              High
            </th>
          </tr>
        </thead>
        <tbody>
          {thinned(samples, ROWS).map((sample) => (
            <tr key={sample.ts}>
              <th scope="row">{formatClock(sample.ts)}</th>
              <td className="number">{sample.price === null ? 'unknown' : formatUsd(sample.price)}</td>
              <td className="number">{shown(sample.reference)}</td>
              <td className="number">{shown(sample.lo)}</td>
              <td className="number">{shown(sample.hi)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
