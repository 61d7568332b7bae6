import { useId } from 'react'
import { Reading } from '@/components/ui/Doubt'
import { Panel } from '@/components/ui/Panel'
import type { Lab } from '@/features/lab/api/useLab'
import { formatCount } from '@/lib/amount'
import type { Backtest } from '@/lib/schema/lab'
import { formatSpan } from '@/lib/time'

type Outcome = Backtest['outcomes'][number]

const fixed = (places: number) => (value: number) => value.toFixed(places)
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

const COLUMNS: { name: string; unit: string; read: (outcome: Outcome) => string }[] = [
  { name: 'Bad debt', unit: 'bps a year', read: ({ metrics }) => fixed(2)(metrics.bad_debt_bps_year) },
  { name: 'Less than the reference', unit: 'bps a year, middle 95 %', read: ({ gain }) => `${gain.mean.toFixed(2)} (${gain.low.toFixed(2)} to ${gain.high.toFixed(2)})` },
  { name: 'Forced cost', unit: 'bps a year', read: ({ metrics }) => fixed(1)(metrics.forced_cost_bps_year) },
  { name: 'Soft cost', unit: 'bps a year', read: ({ metrics }) => fixed(1)(metrics.soft_cost_bps_year) },
  { name: 'Worst 5 % of weeks', unit: 'bps', read: ({ metrics }) => fixed(2)(metrics.es95_week_bps) },
  { name: 'Halts, false', unit: 'number', read: ({ metrics }) => `${formatCount(metrics.halts)}, ${formatCount(metrics.false_halts)}` },
  { name: 'Halted', unit: 'of the time', read: ({ metrics }) => percent(metrics.halted_bps / 10_000) },
  { name: 'Warned', unit: 'of the events', read: ({ metrics }) => `${percent(metrics.warned_share)} of ${formatCount(metrics.events)}` },
  { name: 'Lead', unit: 'median', read: ({ metrics }) => formatSpan(metrics.lead_secs) },
  { name: 'Fall ahead', unit: 'median', read: ({ metrics }) => percent(metrics.fall_ahead) },
  { name: 'LTV offered', unit: 'of the vault’s own', read: ({ metrics }) => percent(metrics.capital_efficiency) },
]

function Table({ backtest }: { backtest: Backtest }) {
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Results by policy">
      <table className="lab">
        <thead>
          <tr>
            <th scope="col">Policy</th>
            {COLUMNS.map(({ name, unit }) => (
              <th scope="col" className="number" key={name}>
                {name}
                <small>{unit}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {backtest.outcomes.map((outcome) => (
            <tr key={outcome.name} data-reference={outcome.name === backtest.reference}>
              <th scope="row">
                {outcome.name}
                {outcome.name === backtest.reference && <small>the reference</small>}
              </th>
              {COLUMNS.map(({ name, read }) => (
                <td className="number" key={name}>
                  {read(outcome)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const [WIDTH, ROW] = [600, 26]

/** Where gains lie on the drawing: a little beyond all intervals, and nothing is in it. */
function scaleOf(outcomes: readonly Outcome[]): (gain: number) => number {
  const ends = outcomes.flatMap(({ gain }) => [gain.low, gain.high, gain.mean])
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)]
  const span = high - low || 1
  return (gain) => ((gain - low + span * 0.04) / (span * 1.08)) * WIDTH
}

/** What each policy gains over the reference, with the interval that the mean lies in. The table has the same numbers. */
function Gains({ backtest }: { backtest: Backtest }) {
  const others = backtest.outcomes.filter(({ name }) => name !== backtest.reference)
  if (others.length === 0) return null
  const x = scaleOf(others)
  return (
    <figure className="figure gains">
      <figcaption>{`Bad debt less than ${backtest.reference}, bps a year, with the middle 95 %`}</figcaption>
      <ul aria-label="Gains over the reference">
        {others.map(({ name, gain }) => (
          <li key={name} data-sure={gain.low > 0 || gain.high < 0}>
            <span>{name}</span>
            <svg
              viewBox={`0 0 ${WIDTH} ${ROW}`}
              preserveAspectRatio="none"
              role="img"
              aria-label={`${name}: ${gain.mean.toFixed(2)} bps a year, between ${gain.low.toFixed(2)} and ${gain.high.toFixed(2)}`}
            >
              <line className="gain-zero" x1={x(0)} x2={x(0)} y1="0" y2={ROW} />
              <line className="gain-interval" x1={x(gain.low)} x2={x(gain.high)} y1={ROW / 2} y2={ROW / 2} />
              <line className="gain-mean" x1={x(gain.mean)} x2={x(gain.mean)} y1={ROW / 4} y2={(ROW * 3) / 4} />
            </svg>
            <span className="number">{`${gain.mean.toFixed(2)} (${gain.low.toFixed(2)} to ${gain.high.toFixed(2)})`}</span>
          </li>
        ))}
      </ul>
    </figure>
  )
}

/** Policies side by side as the lab played them, good or bad; without results, how to make them. */
export function LabResults({ backtest, origin, refusal, isReading, open }: Lab) {
  const id = useId()
  return (
    <>
      {backtest !== null && (
        <Panel title={backtest.title} note={`Seed ${backtest.seed}; ${formatCount(backtest.tried.length)} configurations tried by the tuning. From ${origin ?? 'a file'}.`}>
          <Gains backtest={backtest} />
          <Table backtest={backtest} />
          <p className="note">Simulated, not promised. A policy that is always tight is warned of everything: read “Warned” with “LTV offered”.</p>
        </Panel>
      )}
      <Panel title={backtest === null ? 'No results are served here' : 'Other results'}>
        {isReading ? (
          <Reading what="the lab’s results" failure={null} />
        ) : (
          <div className="lab-how">
            <p>The lab plays policies on recorded or generated markets with the program’s own code. This writes a file that can be shown here:</p>
            <pre tabIndex={0}>
              <code>rampart lab backtest --out backtest.json</code>
            </pre>
            <label htmlFor={id}>Show a file</label>
            <input
              id={id}
              type="file"
              accept="application/json,.json"
              onChange={(event) => {
                const file = event.target.files?.[0]
                if (file !== undefined) open(file)
              }}
            />
            {refusal !== null && (
              <p className="warn" role="alert">
                {refusal}
              </p>
            )}
            <p className="quiet">A keeper shows the <code>backtest.json</code> in its folder <code>http.lab_dir</code> by itself; so does whoever serves it at <code>/lab/backtest.json</code> beside the app.</p>
          </div>
        )}
      </Panel>
    </>
  )
}
