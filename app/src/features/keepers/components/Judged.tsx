import { Icon, type IconName } from '@/components/ui/Icon'
import { Panel } from '@/components/ui/Panel'
import { formatBps } from '@/lib/amount'
import { type Judging, formatRisk } from '@/lib/judging'
import { nameOf } from '@/lib/names'
import type { View } from '@/lib/schema/view'

type Subject = Judging['subjects'][number]

/** How each band is marked. */
const BAND_PASS: Record<Subject['band'], { state: string; icon: IconName }> = {
  normal: { state: 'open', icon: 'check' },
  watch: { state: 'open', icon: 'partial' },
  tighten: { state: 'limited', icon: 'caution' },
  restrict: { state: 'limited', icon: 'reduce' },
  breaker: { state: 'closed', icon: 'halt' },
}

/** Columns beside band and score: what they are called, and where they stand in an answer. */
const COLUMNS = [
  { key: 'fall_6h', name: 'Falls through within 6 h' },
  { key: 'fall_24h', name: 'Within a day' },
  { key: 'value_at_risk_99', name: '99 of 100 hours fall less than' },
  { key: 'value_at_risk_999', name: '999 of 1,000 fall less than' },
] as const

function Row({ subject, name }: { subject: Subject; name: string }) {
  const { state, icon } = BAND_PASS[subject.band]
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-label="Band">
        <span className="pass" data-state={state}>
          <Icon name={icon} size={15} />
          {subject.band}
        </span>
      </td>
      <td className="number" data-label="Score">
        {formatBps(subject.score_bps)}
      </td>
      {COLUMNS.map(({ key, name: column }) => {
        const value = subject[key]
        return (
          <td key={key} className="number" data-label={column}>
            {value === null ? <span className="quiet">unknown</span> : formatRisk(value)}
          </td>
        )
      })}
    </tr>
  )
}

/** What this keeper's risk engine says of each asset and vault; nothing where it scores none. */
export function Judged({ view }: { view: View }) {
  const subjects = view.keeper?.score?.subjects ?? []
  if (subjects.length === 0) return null
  return (
    <Panel title="What this keeper expects" note="One keeper’s view: how likely the price falls through the collateral’s buffer, and what the next hour may take. Advice: the program decides by the median of the reports.">
      <div className="scroll" tabIndex={0} role="group" aria-label="What this keeper expects">
        <table className="parts stacks">
          <thead>
            <tr>
              <th scope="col">About</th>
              <th scope="col">Band</th>
              <th scope="col" className="number">
                Score
              </th>
              {COLUMNS.map(({ key, name }) => (
                <th scope="col" className="number" key={key}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {subjects.map((subject) => (
              <Row key={subject.subject} subject={subject} name={nameOf(view, subject.subject)} />
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}
