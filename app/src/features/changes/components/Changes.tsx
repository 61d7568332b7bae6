import type { ReactNode } from 'react'
import { OldNews, Reading } from '@/components/ui/Doubt'
import { Empty, Panel } from '@/components/ui/Panel'
import { ChangeCard } from '@/features/changes/components/ChangeCard'
import type { Guard, PendingChange } from '@/generated'
import type { Held } from '@/lib/accounts'
import { type Targets, ripeTs } from '@/lib/change'
import type { Failure } from '@/lib/failure'
import type { View } from '@/lib/schema/view'

interface ChangesProps {
  changes: readonly Held<PendingChange>[] | null
  /** Why the changes can't be read. */
  failure: Failure | null
  /** Why what they are compared with can't be read any more. */
  staleness: Failure | null
  targets: Targets
  view: View
  nowTs: number
  /** What can be done with a change. */
  actions: (change: Held<PendingChange>, guard: Guard) => ReactNode
}

/** The queue of changes that wait, the one that ripens first on top. */
export function Changes({ changes, failure, staleness, targets, view, nowTs, actions }: ChangesProps) {
  const guard = targets.guards[0]?.value
  if (changes === null || guard === undefined) {
    return (
      <Panel title="Pending changes">
        <Reading what="pending changes" failure={failure} />
      </Panel>
    )
  }
  const sorted = changes.toSorted((a, b) => ripeTs(a.value, guard) - ripeTs(b.value, guard))
  return (
    <Panel title="Pending changes" note="What loosens waits here in public. Tightening holds at once and isn’t listed.">
      <OldNews failure={failure ?? staleness} />
      {sorted.length === 0 && <Empty>Nothing is pending: no loosening was proposed.</Empty>}
      {sorted.map((change) => (
        <ChangeCard key={change.address} change={change} guard={guard} targets={targets} view={view} nowTs={nowTs}>
          {actions(change, guard)}
        </ChangeCard>
      ))}
    </Panel>
  )
}
