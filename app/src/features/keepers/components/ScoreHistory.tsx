import { Figure } from '@/components/ui/Figure'
import { OldNews, Reading } from '@/components/ui/Doubt'
import { Empty, Panel } from '@/components/ui/Panel'
import { NoHistory } from '@/features/keepers/components/NoHistory'
import { formatBps } from '@/lib/amount'
import { type Failure, isNotKept } from '@/lib/failure'
import { nameOf } from '@/lib/names'
import type { Kept } from '@/lib/schema/kept'
import type { View } from '@/lib/schema/view'
import { PARTS } from '@/lib/score'
import { formatClock } from '@/lib/time'

const [WIDTH, HEIGHT, ROWS] = [600, 120, 40]

/** Rows by a name, in the order of their first. */
function grouped(rows: readonly Kept[], nameOf: (row: Kept) => string | null): Map<string, Kept[]> {
  const groups = new Map<string, Kept[]>()
  for (const row of rows) {
    const name = nameOf(row) ?? ''
    groups.set(name, [...(groups.get(name) ?? []), row])
  }
  return groups
}

/** A line through the scores, oldest first; a share of the box, so that it can be drawn at any size. */
function pathOf(rows: readonly Kept[]): string {
  const [first, last] = [rows[0]?.at_ms ?? 0, rows.at(-1)?.at_ms ?? 0]
  const x = (at: number) => (last === first ? WIDTH / 2 : ((at - first) / (last - first)) * WIDTH)
  const points = rows.flatMap(({ at_ms, score_bps }) => (score_bps === null ? [] : [`${x(at_ms).toFixed(1)},${(HEIGHT * (1 - score_bps / 10_000)).toFixed(1)}`]))
  return points.length === 0 ? '' : `M${points.join('L')}`
}

function Chart({ rows, name }: { rows: readonly Kept[]; name: string }) {
  const byKeeper = grouped(rows, ({ reporter }) => reporter)
  return (
    <div className="score-chart" role="img" aria-label={`${name}: scores that keepers reported. A table has the same values.`}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
        {[0.25, 0.5, 0.75].map((share) => (
          <line key={share} x1="0" x2={WIDTH} y1={HEIGHT * share} y2={HEIGHT * share} />
        ))}
        {[...byKeeper].map(([reporter, own]) => (
          <path key={reporter} d={pathOf(own.toSorted((a, b) => a.at_ms - b.at_ms))} />
        ))}
      </svg>
      <div className="histogram-axis">
        <span>{formatClock(Math.min(...rows.map(({ at_ms }) => at_ms)) / 1_000)}</span>
        <span>0 % at the foot, 100 % at the top</span>
        <span>{formatClock(Math.max(...rows.map(({ at_ms }) => at_ms)) / 1_000)}</span>
      </div>
    </div>
  )
}

function Rows({ rows, name }: { rows: readonly Kept[]; name: string }) {
  return (
    <div className="scroll chart-table" tabIndex={0} role="group" aria-label={`${name}, reports`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {PARTS.map(({ column, name: part }) => (
              <th scope="col" className="number" key={column}>
                {part}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, ROWS).map((row) => (
            <tr key={row.id}>
              <th scope="row">{formatClock(row.at_ms / 1_000)}</th>
              {PARTS.map(({ column }) => {
                const value = row[column]
                return (
                  <td className="number" key={column}>
                    {value === null ? '–' : formatBps(value)}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface ScoreHistoryProps {
  rows: readonly Kept[] | null
  failure: Failure | null
  view: View
}

/** Scores with their parts over time, as keepers reported them on chain. */
export function ScoreHistory({ rows, failure, view }: ScoreHistoryProps) {
  const title = 'Scores over time'
  if (rows === null && isNotKept(failure)) {
    return (
      <Panel title={title}>
        <NoHistory failure={failure} alone="Only a keeper keeps past reports, and none serves this page. The newest ones are below." />
      </Panel>
    )
  }
  if (rows === null) {
    return (
      <Panel title={title}>
        <Reading what="the kept reports" failure={failure} />
      </Panel>
    )
  }
  const bySubject = grouped(rows, ({ subject }) => subject)
  return (
    <Panel title={title} note="One line for each keeper. High is dangerous.">
      <OldNews failure={failure} />
      {rows.length === 0 && <Empty>No report was kept yet.</Empty>}
      <div className="score-grid">
        {[...bySubject].map(([subject, own]) => (
          <Figure
            key={subject}
            caption={nameOf(view, subject)}
            chart={<Chart rows={own} name={nameOf(view, subject)} />}
            table={<Rows rows={own} name={nameOf(view, subject)} />}
          />
        ))}
      </div>
    </Panel>
  )
}
