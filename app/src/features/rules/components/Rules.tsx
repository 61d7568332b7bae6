import { Icon, type IconName } from '@/components/ui/Icon'
import { LevelBadge } from '@/components/ui/level'
import { Meter } from '@/components/ui/Meter'
import { Empty, Panel } from '@/components/ui/Panel'
import { reasonText } from '@/lib/reason'
import { VERDICT_TEXT, byUrgency, distanceOf, formatMeasure, metricText, spanText, standingText } from '@/lib/rule'
import type { Rule, View } from '@/lib/schema/view'
import { formatSpan } from '@/lib/time'

const ICONS: Record<Rule['verdict'], IconName> = { true: 'bolt', between: 'partial', clear: 'check', indeterminate: 'unknown' }
const TONES: Record<Rule['verdict'], 'plain' | 'watch' | 'alarm'> = {
  true: 'alarm',
  between: 'watch',
  clear: 'plain',
  indeterminate: 'plain',
}

function Verdict({ rule }: { rule: Rule }) {
  return (
    <span className="verdict" data-verdict={rule.verdict}>
      <Icon name={ICONS[rule.verdict]} size={15} />
      <span>
        {VERDICT_TEXT[rule.verdict]}
        {rule.reason !== null && <small>{reasonText(rule.reason)}</small>}
      </span>
    </span>
  )
}

function Value({ rule }: { rule: Rule }) {
  const distance = distanceOf(rule)
  const sign = rule.comparator === 'above' ? '≥' : '≤'
  const threshold = `${sign} ${formatMeasure(rule.threshold, rule.unit)}`
  const text = rule.value === null ? 'unknown' : formatMeasure(rule.value, rule.unit)
  const left = distance === null ? 'no value' : `${formatMeasure(distance.left, rule.unit)} to go`
  return (
    <div className="rule-value">
      <p>
        <strong className="number">{text}</strong> <span className="quiet number">{`trips at ${threshold}`}</span>
      </p>
      <Meter label={`${rule.name}: way to its threshold`} share={distance?.share ?? 0} text={left} tone={TONES[rule.verdict]} />
      <small className="quiet">{`${distance?.share === 1 ? 'threshold reached' : left}; clear at ${formatMeasure(rule.clear_threshold, rule.unit)}`}</small>
    </div>
  )
}

function Streak({ rule, nowTs }: { rule: Rule; nowTs: number }) {
  const since = rule.streak.since_ts === null ? 0 : nowTs - rule.streak.since_ts
  const isCounting = rule.streak.count > 0
  return (
    <span className={isCounting ? 'number' : 'number quiet'}>
      {`${rule.streak.count} of ${rule.min_observations}`}
      <small>{isCounting ? `${formatSpan(since)} of ${formatSpan(rule.min_persist_secs)}` : `for ${formatSpan(rule.min_persist_secs)}`}</small>
    </span>
  )
}

function Row({ rule, nowTs }: { rule: Rule; nowTs: number }) {
  const span = spanText(rule)
  const against = span !== null ? `, ${span}` : rule.window_secs > 1 ? `, ${formatSpan(rule.window_secs)} window` : ''
  return (
    <tr data-off={!rule.is_enabled}>
      <th scope="row">
        {rule.name}
        <small>{`${metricText(rule.metric)}${against}`}</small>
      </th>
      <td data-label="Value">
        <Value rule={rule} />
      </td>
      <td data-label="Verdict">
        <Verdict rule={rule} />
      </td>
      <td data-label="True so far">
        <Streak rule={rule} nowTs={nowTs} />
      </td>
      <td data-label="Raises">
        <LevelBadge level={rule.level} />
        <small>{rule.scope === 'guard' ? 'the whole guard' : rule.subject_name}</small>
      </td>
      <td data-label="State">{rule.is_in_force ? <strong className="in-force">{standingText(rule)}</strong> : standingText(rule)}</td>
    </tr>
  )
}

/** All rules, the most urgent first. */
export function Rules({ view, nowTs }: { view: View; nowTs: number }) {
  return (
    <Panel title="Rules" note="A rule trips once it has been true for its time and number of observations; one of a group only with the whole group.">
      {view.rules.length === 0 ? (
        <Empty>No rule is set: nothing can raise a level by itself.</Empty>
      ) : (
        <div className="scroll" tabIndex={0} role="group" aria-label="Rules">
          <table className="rules stacks">
            <thead>
              <tr>
                <th scope="col">Rule</th>
                <th scope="col">Value</th>
                <th scope="col">Verdict</th>
                <th scope="col">True so far</th>
                <th scope="col">Raises</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {view.rules.toSorted(byUrgency).map((rule) => (
                <Row key={rule.address} rule={rule} nowTs={nowTs} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}
