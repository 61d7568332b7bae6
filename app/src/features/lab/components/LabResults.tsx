import { useId, useMemo, useState } from 'react'
import { Reading } from '@/components/ui/Doubt'
import { Panel } from '@/components/ui/Panel'
import type { Lab } from '@/features/lab/api/useLab'
import { Plots } from '@/features/lab/components/Plots'
import { formatCount } from '@/lib/amount'
import type { Run } from '@/lib/lab'
import { type Table, shownOf } from '@/lib/labShown'

/** Most rows of a table that are drawn: a sweep has thousands of cells. */
const ROWS = 500

/** A cell that is longer holds words, not a number. */
const NUMBER_MAX = 48

function ResultTable({ title, head, rows }: Table) {
  const hasWords = rows.some(({ cells }) => cells.some((cell) => cell.length > NUMBER_MAX))
  return (
    <>
      <h3 className="lab-title">{title}</h3>
      <div className="scroll" tabIndex={0} role="group" aria-label={title}>
        <table className={hasWords ? 'lab lab-words' : 'lab'}>
          <thead>
            <tr>
              {head.map((name, index) => (
                <th scope="col" key={name} className={index === 0 ? undefined : 'number'}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, ROWS).map(({ cells: [first, ...cells], mark }, row) => (
              <tr key={row} data-reference={mark === 'reference'} data-failed={mark === 'failed'} data-missed={mark === 'missed'}>
                <th scope="row">
                  {first}
                  {mark === 'reference' && <small>the reference</small>}
                </th>
                {cells.map((cell, index) => (
                  <td className="number" key={index}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > ROWS && <p className="note">{`The first ${formatCount(ROWS)} of ${formatCount(rows.length)}; the file has them all.`}</p>}
    </>
  )
}

function Result({ run }: { run: Run }) {
  const { title, notes, plots, tables } = useMemo(() => shownOf(run.result), [run])
  return (
    <Panel title={title} note={`By “rampart lab ${run.result.kind}”, from ${run.origin}. Simulated, not promised.`}>
      <ul className="lab-notes">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
      <Plots plots={plots} />
      {tables.map((table) => (
        <ResultTable key={table.title} {...table} />
      ))}
    </Panel>
  )
}

function Runs({ runs, chosen, onChoose }: { runs: readonly Run[]; chosen: Run; onChoose: (origin: string) => void }) {
  return (
    <nav className="picker" aria-label="Runs">
      <ul>
        {runs.map((run) => (
          <li key={run.origin}>
            <button
              type="button"
              className="picker-link lab-run"
              aria-current={run === chosen ? 'page' : undefined}
              onClick={() => {
                onChoose(run.origin)
              }}
            >
              {shownOf(run.result).title}
              <small>{`${run.result.kind}, ${run.origin.split('/').at(-1) ?? ''}`}</small>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  )
}

const COMMANDS = ['backtest --out backtest.json', 'validate deploy/guards/sol.toml --out validate.json', 'attack run flash-crash --json > attack.json', 'hedge --json > hedge.json', 'sweep PLAN.toml --out sweep.jsonl', 'report FILE.. --out report.json']

function Files({ open, refusals }: Pick<Lab, 'open' | 'refusals'>) {
  const id = useId()
  const [isOver, setIsOver] = useState(false)
  return (
    <div
      className="lab-how"
      data-over={isOver}
      onDragOver={(event) => {
        event.preventDefault()
        setIsOver(true)
      }}
      onDragLeave={() => {
        setIsOver(false)
      }}
      onDrop={(event) => {
        event.preventDefault()
        setIsOver(false)
        open([...event.dataTransfer.files])
      }}
    >
      <p>The lab plays policies on recorded or generated markets with the program’s own code. These write files that can be shown here:</p>
      <pre tabIndex={0}>
        <code>{COMMANDS.map((command) => `rampart lab ${command}`).join('\n')}</code>
      </pre>
      <label htmlFor={id}>Show files: choose them, or drop them here</label>
      <input
        id={id}
        type="file"
        multiple
        accept="application/json,.json,.jsonl"
        onChange={(event) => {
          open([...(event.target.files ?? [])])
        }}
      />
      {refusals.map((refusal) => (
        <p className="warn" role="alert" key={refusal}>
          {refusal}
        </p>
      ))}
      <p className="quiet">
        A keeper shows the results in its folder <code>http.lab_dir</code> by itself. Whoever serves the app as files puts results into <code>lab/</code> beside it and names them in <code>lab/index.json</code>: <code>{'{"results": ["validate.json"]}'}</code>.
      </p>
    </div>
  )
}

/** What the lab played, run by run, good or bad; without results, how to make them. */
export function LabResults({ runs, refusals, isReading, open }: Lab) {
  const [origin, setOrigin] = useState<string | null>(null)
  const chosen = runs.find((run) => run.origin === origin) ?? runs[0]
  return (
    <>
      {chosen !== undefined && runs.length > 1 && <Runs runs={runs} chosen={chosen} onChoose={setOrigin} />}
      {chosen !== undefined && <Result key={chosen.origin} run={chosen} />}
      <Panel title={chosen === undefined ? 'No results are served here' : 'Other results'}>{isReading ? <Reading what="the lab’s results" failure={null} /> : <Files open={open} refusals={refusals} />}</Panel>
    </>
  )
}
