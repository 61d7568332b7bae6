import { Assets } from '@/features/assets/components/Assets'
import { Timeline } from '@/features/events/components/Timeline'
import { Keepers } from '@/features/keepers/components/Keepers'
import { MedianHistory } from '@/features/keepers/components/MedianHistory'
import { Medians } from '@/features/keepers/components/Medians'
import { useAccounts, useKept } from '@/features/live/api/useAccounts'
import { useGenesis } from '@/features/live/api/useGenesis'
import { Rules } from '@/features/rules/components/Rules'
import { Headline } from '@/features/status/components/Headline'
import { Next } from '@/features/status/components/Next'
import { Possible } from '@/features/status/components/Possible'
import { ScopeTiles } from '@/features/status/components/ScopeTiles'
import { Vaults } from '@/features/vaults/components/Vaults'
import { KINDS } from '@/lib/accounts'
import { mediansOf } from '@/lib/score'
import type { View } from '@/lib/schema/view'
import type { PageProps } from '@/routes/Page'

/** What the keepers agree on now, and how it came to that. A guard without keepers has neither. */
function Scores({ view, nowTs }: { view: View; nowTs: number }) {
  const sets = useAccounts(KINDS.keeperSet)
  const reports = useAccounts(KINDS.report)
  const kept = useKept('reports', '?limit=500')
  const set = sets.value === null ? undefined : (sets.value[0]?.value ?? null)
  if (set === null) return null
  const failure = sets.failure ?? reports.failure
  const medians = set !== undefined && reports.value !== null ? mediansOf(set, reports.value, nowTs) : null
  return (
    <>
      <Medians medians={medians} failure={failure} view={view} />
      <MedianHistory set={set} rows={kept.value} failure={sets.failure ?? kept.failure} view={view} />
    </>
  )
}

/** The page that says what state the protocol is in, why, and what happens next. */
export function Overview({ live, view }: PageProps) {
  const { nowTs } = live
  const genesis = useGenesis()
  const decisions = useKept('decisions', '?limit=500')
  return (
    <div className="page">
      <div className="page-status">
        <Headline view={view} nowTs={nowTs} />
        <ScopeTiles view={view} nowTs={nowTs} />
        <Possible view={view} />
      </div>
      <aside className="page-rail" aria-label="Next and past">
        <Next view={view} nowTs={nowTs} />
        <Timeline events={live.timeline.events} isOpen={live.timeline.isOpen} nowTs={live.hostTs} isTold={view.keeper !== null} genesis={genesis} decisions={decisions.value ?? []} />
      </aside>
      <div className="page-details">
        <Assets view={view} series={live.series} />
        <Rules view={view} nowTs={nowTs} />
        <Vaults view={view} />
        <Scores view={view} nowTs={nowTs} />
        <Keepers view={view} nowTs={nowTs} />
      </div>
    </div>
  )
}
