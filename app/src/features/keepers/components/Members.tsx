import { Address } from '@/components/ui/Address'
import { Icon } from '@/components/ui/Icon'
import { OldNews, Reading } from '@/components/ui/Doubt'
import { Empty, Panel } from '@/components/ui/Panel'
import type { KeeperMember, KeeperSet, Report } from '@/generated'
import type { Held } from '@/lib/accounts'
import { formatBps } from '@/lib/amount'
import type { Failure } from '@/lib/failure'
import { nameOf } from '@/lib/names'
import type { View } from '@/lib/schema/view'
import { PARTS, countsAt, isFresh, membersOf, quorumOf } from '@/lib/score'
import { formatAgo, formatSpan } from '@/lib/time'

interface MembersProps {
  set: KeeperSet | null | undefined
  reports: readonly Held<Report>[] | null
  failure: Failure | null
  view: View
  nowTs: number
}

function Standing({ member, nowTs }: { member: KeeperMember; nowTs: number }) {
  const counts = countsAt(member, nowTs)
  const joins = Number(member.activeFromTs) - nowTs
  return (
    <span className="pass" data-state={counts ? 'open' : 'limited'}>
      <Icon name={counts ? 'check' : 'partial'} size={15} />
      {counts ? 'Counts' : joins > 0 ? `Joins in ${formatSpan(joins)}` : 'On trial'}
    </span>
  )
}

function ReportRow({ set, report, name, nowTs }: { set: KeeperSet; report: Report; name: string; nowTs: number }) {
  const fresh = isFresh(set, report, nowTs)
  return (
    <tr data-off={!fresh}>
      <th scope="row">
        {name}
        <small>{`${formatAgo(Number(report.observedAtTs), nowTs)}${fresh ? '' : report.setEpoch === set.epoch ? ', too old to count' : ', of an earlier set'}`}</small>
      </th>
      {PARTS.map(({ key, name: part }) => (
        <td key={key} className="number" data-label={part}>
          {formatBps(report.parts[key])}
        </td>
      ))}
    </tr>
  )
}

function Member({ member, set, reports, view, nowTs }: { member: KeeperMember; set: KeeperSet; reports: readonly Report[]; view: View; nowTs: number }) {
  return (
    <section className="member" aria-label={`Member ${member.key}`}>
      <header>
        <Address value={member.key} label="keeper" />
        {(member.key as string) === view.keeper?.signer && <span className="quiet">this keeper</span>}
        <span className="quiet">{`data from source ${member.sourceTag}`}</span>
        <Standing member={member} nowTs={nowTs} />
      </header>
      {reports.length === 0 ? (
        <p className="quiet">It has not reported.</p>
      ) : (
        <div className="scroll" tabIndex={0} role="group" aria-label={`Reports of ${member.key}`}>
          <table className="parts stacks">
            <thead>
              <tr>
                <th scope="col">About</th>
                {PARTS.map(({ key, name }) => (
                  <th scope="col" className="number" key={key}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {reports.map((report) => (
                <ReportRow key={report.subject} set={set} report={report} name={nameOf(view, report.subject)} nowTs={nowTs} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

/** The members of the keeper set, and what each of them reports. */
export function Members({ set, reports, failure, view, nowTs }: MembersProps) {
  if (set === undefined || reports === null) {
    return (
      <Panel title="Keeper set">
        <Reading what="the keeper set" failure={failure} />
      </Panel>
    )
  }
  if (set === null) {
    return (
      <Panel title="Keeper set">
        <Empty>This guard has no keeper set: no report counts, and rules about reports are unknown.</Empty>
      </Panel>
    )
  }
  const members = membersOf(set)
  const counted = members.filter((member) => countsAt(member, nowTs)).length
  const note = `${quorumOf(counted)} of ${counted} have to report within ${formatSpan(set.maxAgeSecs)}, and agree within ${formatBps(set.maxSpreadBps)}.`
  return (
    <Panel title="Keeper set" note={note}>
      <OldNews failure={failure} />
      {members.map((member) => (
        <Member
          key={member.key}
          member={member}
          set={set}
          reports={reports.map(({ value }) => value).filter(({ keeper }) => keeper === member.key)}
          view={view}
          nowTs={nowTs}
        />
      ))}
    </Panel>
  )
}
