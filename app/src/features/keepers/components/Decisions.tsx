import { Address } from '@/components/ui/Address'
import { OldNews, Reading } from '@/components/ui/Doubt'
import { Empty, Panel } from '@/components/ui/Panel'
import { type Failure, NoKeeper, isNotKept } from '@/lib/failure'
import { nameOf } from '@/lib/names'
import type { Kept } from '@/lib/schema/kept'
import type { View } from '@/lib/schema/view'
import { formatAgo } from '@/lib/time'

const STATES: Record<string, string> = { landed: 'open', failed: 'closed', unknown: 'limited', expired: 'limited' }

function Row({ row, view, nowTs }: { row: Kept; view: View; nowTs: number }) {
  const outcome = row.outcome ?? 'open'
  return (
    <tr>
      <th scope="row">
        {(row.class ?? '–').replaceAll('_', ' ')}
        <small>{row.subject === null ? '' : nameOf(view, row.subject)}</small>
      </th>
      <td data-label="When">{formatAgo(row.at_ms / 1_000, nowTs)}</td>
      <td data-label="By">{row.keeper}</td>
      <td data-label="Why">{row.reason ?? '–'}</td>
      <td data-label="Outcome">
        <span className="pass" data-state={STATES[outcome] ?? 'quiet'}>
          {outcome.replaceAll('_', ' ')}
        </span>
        {row.error !== null && <small>{row.error}</small>}
      </td>
      <td data-label="Signature">{row.signature === null ? '–' : <Address value={row.signature} label="signature" />}</td>
    </tr>
  )
}

/** What keepers meant to do, why, and what became of it. */
export function Decisions({ rows, failure, view, nowTs }: { rows: readonly Kept[] | null; failure: Failure | null; view: View; nowTs: number }) {
  const isOff = rows === null && isNotKept(failure)
  return (
    <Panel title="Transactions" note="What was decided, why, and what became of it.">
      {rows !== null && <OldNews failure={failure} />}
      {isOff ? (
        <Empty>
          {failure instanceof NoKeeper
            ? 'Only keepers know what they decided and why, and none serves this page.'
            : 'This keeper keeps no history; the timeline on the overview has the last transactions.'}
        </Empty>
      ) : rows === null ? (
        <Reading what="the kept decisions" failure={failure} />
      ) : rows.length === 0 ? (
        <Empty>No decision was kept yet.</Empty>
      ) : (
        <div className="scroll" tabIndex={0} role="group" aria-label="Decisions">
          <table className="decisions stacks">
            <thead>
              <tr>
                {['What', 'When', 'By', 'Why', 'Outcome', 'Signature'].map((name) => (
                  <th scope="col" key={name}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row key={row.id} row={row} view={view} nowTs={nowTs} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}
