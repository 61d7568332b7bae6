import { Icon } from '@/components/ui/Icon'
import { OldNews } from '@/components/ui/Doubt'
import { Empty, Panel } from '@/components/ui/Panel'
import { formatBps } from '@/lib/amount'
import type { Failure } from '@/lib/failure'
import { nameOf } from '@/lib/names'
import type { View } from '@/lib/schema/view'
import { PARTS, type Median } from '@/lib/score'

function Row({ median, name }: { median: Median; name: string }) {
  const hasQuorum = median.fresh >= median.quorum
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-label="Reports">
        <span className="pass" data-state={hasQuorum ? 'open' : 'limited'}>
          <Icon name={hasQuorum ? 'check' : 'unknown'} size={15} />
          {`${median.fresh} of ${median.quorum} needed`}
        </span>
      </td>
      {PARTS.map(({ key, name: part }) => {
        const value = median.parts[key]
        return (
          <td key={key} className="number" data-label={part}>
            {value === null ? <span className="quiet">unknown</span> : formatBps(value)}
          </td>
        )
      })}
      <td className="number" data-label="Spread">
        {median.spreadBps === null ? '–' : formatBps(median.spreadBps)}
      </td>
    </tr>
  )
}

/** What the reports come to: the median of each part, asset by asset. */
export function Medians({ medians, failure, view }: { medians: readonly Median[] | null; failure: Failure | null; view: View }) {
  if (medians === null) return null
  return (
    <Panel title="Median of the reports" note="It may restrict new risk for at most six hours. It never touches exits.">
      <OldNews failure={failure} />
      {medians.length === 0 ? (
        <Empty>Nobody has reported yet.</Empty>
      ) : (
        <div className="scroll" tabIndex={0} role="group" aria-label="Medians">
          <table className="parts stacks">
            <thead>
              <tr>
                <th scope="col">About</th>
                <th scope="col">Reports</th>
                {PARTS.map(({ key, name, danger }) => (
                  <th scope="col" className="number" key={key}>
                    {name}
                    <small>{danger === 'above' ? 'high is dangerous' : 'low is dangerous'}</small>
                  </th>
                ))}
                <th scope="col" className="number">
                  Spread
                </th>
              </tr>
            </thead>
            <tbody>
              {medians.map((median) => (
                <Row key={median.subject} median={median} name={nameOf(view, median.subject)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}
