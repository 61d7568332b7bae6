import { useId } from 'react'
import type { Bars, Lines, Ranges, Shown } from '@/lib/labShown'

const [WIDTH, ROW] = [600, 26]

/** Where numbers lie on a drawing: a little beyond all of them, and nothing is in it. */
function scaleOf(numbers: readonly number[]): (value: number) => number {
  const [low, high] = [Math.min(0, ...numbers), Math.max(0, ...numbers)]
  const span = high - low || 1
  return (value) => ((value - low + span * 0.04) / (span * 1.08)) * WIDTH
}

/** Values with the intervals that they lie in. The table has the same numbers. */
function RangesPlot({ caption, rows, spell }: Ranges) {
  const x = scaleOf(rows.flatMap(({ value, low, high }) => [value, low, high]))
  return (
    <figure className="figure gains">
      <figcaption>{caption}</figcaption>
      <ul aria-label={caption}>
        {rows.map(({ label, value, low, high }) => (
          <li key={label} data-sure={low > 0 || high < 0}>
            <span>{label}</span>
            <svg viewBox={`0 0 ${WIDTH} ${ROW}`} preserveAspectRatio="none" role="img" aria-label={`${label}: ${spell(value)}, between ${spell(low)} and ${spell(high)}`}>
              <line className="gain-zero" x1={x(0)} x2={x(0)} y1="0" y2={ROW} />
              <line className="gain-interval" x1={x(low)} x2={x(high)} y1={ROW / 2} y2={ROW / 2} />
              <line className="gain-mean" x1={x(value)} x2={x(value)} y1={ROW / 4} y2={(ROW * 3) / 4} />
            </svg>
            <span className="number">{`${spell(value)} (${spell(low)} to ${spell(high)})`}</span>
          </li>
        ))}
      </ul>
    </figure>
  )
}

function Legend({ names }: { names: readonly string[] }) {
  if (names.length < 2) return null
  return (
    <p className="lab-legend">
      {names.map((name, index) => (
        <span key={name} data-series={index}>
          {name}
        </span>
      ))}
    </p>
  )
}

/** Bars side by side, one row for each case. The table has the same numbers. */
function BarsPlot({ caption, unit, series, rows }: Bars) {
  const most = Math.max(...rows.flatMap(({ values }) => values), 0) || 1
  const spelled = (values: readonly number[]) => values.map((value, index) => `${series[index] ?? ''} ${value.toFixed(2)} ${unit}`).join(', ')
  return (
    <figure className="figure gains bars">
      <figcaption>{caption}</figcaption>
      <Legend names={series} />
      <ul aria-label={caption}>
        {rows.map(({ label, values }) => (
          <li key={label}>
            <span>{label}</span>
            <svg viewBox={`0 0 ${WIDTH} ${ROW}`} preserveAspectRatio="none" role="img" aria-label={`${label}: ${spelled(values)}`}>
              {values.map((value, index) => (
                <rect key={index} data-series={index} x="0" y={(index * ROW) / values.length + 2} width={(Math.max(0, value) / most) * WIDTH} height={ROW / values.length - 4} />
              ))}
            </svg>
            <span className="number">{values.map((value) => value.toFixed(2)).join(' / ')}</span>
          </li>
        ))}
      </ul>
    </figure>
  )
}

const HEIGHT = 160
const short = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 2 })

/** Lines over one axis, with the ends of both axes in words. */
function LinesPlot({ caption, x, lines }: Lines) {
  const all = lines.flatMap(({ points }) => points)
  const id = useId()
  if (all.length === 0) return null
  const [xs, ys] = [all.map((point) => point[0]), all.map((point) => point[1])]
  const ends = (values: readonly number[]): [number, number] => [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
  const [[left, right], [low, high]] = [ends(xs), ends(ys)]
  const at = ([px, py]: readonly [number, number]) => `${(((px - left) / (right - left || 1)) * WIDTH).toFixed(1)},${(HEIGHT - 4 - ((py - low) / (high - low || 1)) * (HEIGHT - 8)).toFixed(1)}`
  const lasts = lines.map(({ name, points }) => `${name} ${short(points[0]?.[1] ?? 0)} to ${short(points.at(-1)?.[1] ?? 0)}`).join('; ')
  return (
    <figure className="figure gains lab-lines">
      <figcaption id={id}>{caption}</figcaption>
      <Legend names={lines.map(({ name }) => name)} />
      <div>
        <span className="number quiet">{short(high)}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${caption}: ${lasts}`}>
          {lines.map(({ name, points }, index) => (
            <polyline key={name} data-series={index} points={points.map(at).join(' ')} />
          ))}
        </svg>
        <span className="number quiet">{short(low)}</span>
      </div>
      <p className="lab-axis quiet number">
        <span>{short(left)}</span>
        <span>{x}</span>
        <span>{short(right)}</span>
      </p>
    </figure>
  )
}

/** The plots of a result. */
export function Plots({ plots }: Pick<Shown, 'plots'>) {
  return plots.map((plot) => {
    switch (plot.kind) {
      case 'ranges':
        return <RangesPlot key={plot.caption} {...plot} />
      case 'bars':
        return <BarsPlot key={plot.caption} {...plot} />
      case 'lines':
        return <LinesPlot key={plot.caption} {...plot} />
    }
  })
}
