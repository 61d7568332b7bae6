import { useId, useState } from 'react'
import { Icon } from '@/components/ui/Icon'
import { Empty, Panel } from '@/components/ui/Panel'
import { formatCount } from '@/lib/amount'
import { type Failure, NoKeeper, isNotKept } from '@/lib/failure'
import { formatUsd } from '@/lib/price'
import { readTyped, typed } from '@/lib/form'
import { formatMeasure } from '@/lib/rule'
import type { Kept } from '@/lib/schema/kept'
import type { Rule, View } from '@/lib/schema/view'
import { formatMoment, formatSpan } from '@/lib/time'
import { type WhatIf as Result, pointsOf, priceAtThreshold, sampledOf, tried } from '@/lib/whatif'

interface WhatIfProps {
  view: View
  /** Reads a subject's kept samples of the last 30 days. */
  samplesOf: (subject: string) => Promise<Kept[]>
  /** Reads why that failed. */
  failureOf: (error: unknown) => Failure
}

/** How a rule's threshold is typed. */
const unitOf = ({ unit }: Rule) => (unit === 'bps' ? { decimals: 2, sign: '%' } : { decimals: 0, sign: 's' })
const furthest = ({ comparator }: Rule): string => (comparator === 'below' ? 'smallest' : 'largest')
const LISTED = 8
const DAY_SECS = 86_400

type State = { kind: 'idle' } | { kind: 'reading' } | { kind: 'failed'; failure: Failure } | { kind: 'read'; rows: readonly Kept[] }

/** Share of the present threshold at which the rule counts as clear again: a tried threshold keeps it. */
const clearOf = (rule: Rule, threshold: bigint): bigint => (rule.threshold === 0n ? 0n : (threshold * rule.clear_threshold) / rule.threshold)

/** A fall is seen where several samples lie in the rule's window. */
function isTooCoarse(rule: Rule, { samples, fromTs, toTs }: Result): boolean {
  return rule.metric === 'drawdown' && ((toTs - fromTs) / Math.max(1, samples - 1)) * 3 > rule.window_secs
}

function Told({ rule, threshold, result }: { rule: Rule; threshold: bigint; result: Result }) {
  const times = result.episodes.length
  const span = result.toTs - result.fromTs
  return (
    <div className="whatif-result" role="status">
      <p>
        <strong className="number">{times === 0 ? 'Never' : times === 1 ? 'Once' : `${formatCount(times)} times`}</strong>
        {` would ${formatMeasure(threshold, rule.unit)} have tripped in ${formatSpan(span)} of samples${rule.min_persist_secs > 0 ? `, each true for ${formatSpan(rule.min_persist_secs)} or longer` : ''}.`}
        {result.short > 0 && ` ${formatCount(result.short)} shorter ${result.short === 1 ? 'stretch' : 'stretches'} would not have.`}
      </p>
      <p className="quiet">
        {`The ${furthest(rule)} value was ${formatMeasure(result.worst, rule.unit)}, of ${formatCount(result.samples)} samples at most ${formatSpan(result.widestGap)} apart: what lay between two of them wasn’t seen, and counts as the first. `}
        {span < 29 * DAY_SECS && 'This keeper’s history goes no further back.'}
      </p>
      {isTooCoarse(rule, result) && (
        <p className="warn">{`The samples are too far apart for a window of ${formatSpan(rule.window_secs)}: most falls within it can’t be seen in them.`}</p>
      )}
      {times > 0 && (
        <div className="scroll" tabIndex={0} role="group" aria-label="When it would have tripped">
          <table>
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">For</th>
                <th scope="col" className="number">
                  {`${rule.comparator === 'below' ? 'Smallest' : 'Largest'} value`}
                </th>
              </tr>
            </thead>
            <tbody>
              {result.episodes.slice(-LISTED).reverse().map(({ fromTs, toTs, worst }) => (
                <tr key={fromTs}>
                  <th scope="row">{formatMoment(fromTs)}</th>
                  <td>{toTs === fromTs ? 'until now' : formatSpan(toTs - fromTs)}</td>
                  <td className="number">{formatMeasure(worst, rule.unit)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {times > LISTED && <p className="note">{`The newest ${LISTED} of ${formatCount(times)}.`}</p>}
        </div>
      )}
    </div>
  )
}

function Tried({ rule, view, rows, text }: { rule: Rule; view: View; rows: readonly Kept[]; text: string }) {
  const threshold = readTyped(text, unitOf(rule))
  if (threshold === null || threshold === 0n) return null
  const result = tried(pointsOf(rule, rows), threshold, clearOf(rule, threshold), rule.min_persist_secs, rule.comparator)
  const asset = view.assets.find(({ address }) => address === rule.subject)
  const price = priceAtThreshold(rule, threshold)
  return (
    <>
      {result === null ? <Empty>No sample of it was kept yet.</Empty> : <Told rule={rule} threshold={threshold} result={result} />}
      {price !== null && asset !== undefined && <p className="quiet">{`Now it would become true at ${formatUsd(price)} for one ${asset.symbol}.`}</p>}
    </>
  )
}

function reasonOf(failure: Failure): string {
  if (failure instanceof NoKeeper) return 'Only a keeper keeps past samples, and none serves this page.'
  return isNotKept(failure) ? 'This keeper keeps no history: [history] in its settings switches it on.' : failure.message
}

/** Tries a threshold on what was kept of the last 30 days. */
export function WhatIf({ view, samplesOf, failureOf }: WhatIfProps) {
  const { rules } = view
  const [address, setAddress] = useState('')
  const [text, setText] = useState('')
  const [state, setState] = useState<State>({ kind: 'idle' })
  const id = useId()
  const rule = rules.find((one) => one.address === address)
  const choose = (next: string) => {
    const chosen = rules.find((one) => one.address === next)
    setAddress(next)
    setText(chosen === undefined ? '' : typed(chosen.threshold, unitOf(chosen)))
    if (chosen === undefined) return
    setState({ kind: 'reading' })
    samplesOf(sampledOf(chosen)).then(
      (rows) => {
        setState({ kind: 'read', rows })
      },
      (error: unknown) => {
        setState({ kind: 'failed', failure: failureOf(error) })
      },
    )
  }
  return (
    <Panel title="What if" note="A threshold, tried on what this keeper kept of the last 30 days: prices and use of its subject where they tell, else what the rule itself measured.">
      <div className="padded whatif">
        <div className="whatif-form">
          <div>
            <label htmlFor={`${id}-rule`}>Rule</label>
            <select
              id={`${id}-rule`}
              value={address}
              onChange={(event) => {
                choose(event.target.value)
              }}
            >
              <option value="">Choose</option>
              {rules.map((one) => (
                <option key={one.address} value={one.address}>
                  {one.name}
                </option>
              ))}
            </select>
          </div>
          {rule !== undefined && (
            <div>
              <label htmlFor={`${id}-threshold`}>{`Threshold, ${unitOf(rule).sign}`}</label>
              <input
                id={`${id}-threshold`}
                inputMode="decimal"
                autoComplete="off"
                value={text}
                aria-invalid={readTyped(text, unitOf(rule)) === null}
                onChange={(event) => {
                  setText(event.target.value)
                }}
              />
            </div>
          )}
        </div>
        {rule !== undefined && state.kind === 'reading' && (
          <p role="status" className="quiet">
            <Icon name="clock" /> Reading samples
          </p>
        )}
        {rule !== undefined && state.kind === 'failed' && <p role="alert">{reasonOf(state.failure)}</p>}
        {rule !== undefined && state.kind === 'read' && <Tried rule={rule} view={view} rows={state.rows} text={text} />}
      </div>
    </Panel>
  )
}
