import { useMemo } from 'react'
import { OldNews, Reading } from '@/components/ui/Doubt'
import { Figure } from '@/components/ui/Figure'
import { Empty, Panel } from '@/components/ui/Panel'
import { NoHistory } from '@/features/keepers/components/NoHistory'
import type { KeeperSet } from '@/generated'
import { formatBps } from '@/lib/amount'
import { type Failure, isNotKept } from '@/lib/failure'
import { nameOf } from '@/lib/names'
import type { Kept } from '@/lib/schema/kept'
import type { View } from '@/lib/schema/view'
import { PARTS, type Part, type PastMedian, mediansOver } from '@/lib/score'
import { formatClock } from '@/lib/time'

const [WIDTH, HEIGHT, ROWS] = [600, 120, 40]

/** A line through one part's medians; where there was none it is broken. */
export function medianPath(past: readonly PastMedian[], part: Part): string {
  const [first, last] = [past[0]?.ts ?? 0, past.at(-1)?.ts ?? 0]
  const x = (ts: number) => (last === first ? WIDTH / 2 : ((ts - first) / (last - first)) * WIDTH)
  let isDrawn = false
  const points = past.map(({ ts, parts }) => {
    const value = parts[part]
    const start = isDrawn ? 'L' : 'M'
    isDrawn = value !== null
    return value === null ? '' : `${start}${x(ts).toFixed(1)},${(HEIGHT * (1 - value / 10_000)).toFixed(1)}`
  })
  return points.join('')
}

function Chart({ past, name }: { past: readonly PastMedian[]; name: string }) {
  return (
    <div className="score-chart median-chart" role="img" aria-label={`${name}: median of the keepers' reports, by part. A table has the same values.`}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
        {[0.25, 0.5, 0.75].map((share) => (
          <line key={share} x1="0" x2={WIDTH} y1={HEIGHT * share} y2={HEIGHT * share} />
        ))}
        {PARTS.map(({ key }) => (
          <path key={key} data-part={key} d={medianPath(past, key)} />
        ))}
      </svg>
      <div className="histogram-axis">
        <span>{formatClock(past[0]?.ts ?? 0)}</span>
        <span>0 % at the foot, 100 % at the top</span>
        <span>{formatClock(past.at(-1)?.ts ?? 0)}</span>
      </div>
      <ul className="median-legend" aria-hidden="true">
        {PARTS.map(({ key, name: part }) => (
          <li key={key} data-part={key}>
            {part}
          </li>
        ))}
      </ul>
    </div>
  )
}

function Rows({ past, name }: { past: readonly PastMedian[]; name: string }) {
  return (
    <div className="scroll chart-table" tabIndex={0} role="group" aria-label={`${name}, medians`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {PARTS.map(({ key, name: part }) => (
              <th scope="col" className="number" key={key}>
                {part}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {past.slice(-ROWS).reverse().map(({ ts, parts }, index) => (
            <tr key={`${ts} ${index}`}>
              <th scope="row">{formatClock(ts)}</th>
              {PARTS.map(({ key }) => (
                <td className="number" key={key}>
                  {parts[key] === null ? '–' : formatBps(parts[key])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface MedianHistoryProps {
  /** The keeper set; undefined until it was read, null where the guard has none. */
  set: KeeperSet | null | undefined
  rows: readonly Kept[] | null
  failure: Failure | null
  view: View
}

function Drawn({ set, rows, view }: { set: KeeperSet; rows: readonly Kept[]; view: View }) {
  const past = useMemo(() => mediansOver(set, rows), [set, rows])
  if (past.size === 0) return <Empty>No report was kept yet.</Empty>
  return (
    <div className="score-grid">
      {[...past].map(([subject, medians]) => {
        const name = nameOf(view, subject)
        return <Figure key={subject} caption={name} chart={<Chart past={medians} name={name} />} table={<Rows past={medians} name={name} />} />
      })}
    </div>
  )
}

/** The median score and its parts over time, as the kept reports come to it. */
export function MedianHistory({ set, rows, failure, view }: MedianHistoryProps) {
  if (set === null) return null
  const isOff = rows === null && isNotKept(failure)
  return (
    <Panel title="Median over time" note="The present set’s reports; a line breaks where too few were fresh or they disagreed.">
      {isOff ? (
        <NoHistory failure={failure} alone="Only a keeper keeps past reports, and none serves this page." />
      ) : set === undefined || rows === null ? (
        <Reading what="the kept reports" failure={failure} />
      ) : (
        <>
          <OldNews failure={failure} />
          <Drawn set={set} rows={rows} view={view} />
        </>
      )}
    </Panel>
  )
}
