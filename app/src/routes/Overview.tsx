import { Assets } from '@/features/assets/components/Assets'
import { Timeline } from '@/features/events/components/Timeline'
import { Keepers } from '@/features/keepers/components/Keepers'
import { Rules } from '@/features/rules/components/Rules'
import { Headline } from '@/features/status/components/Headline'
import { Next } from '@/features/status/components/Next'
import { Possible } from '@/features/status/components/Possible'
import { ScopeTiles } from '@/features/status/components/ScopeTiles'
import { Vaults } from '@/features/vaults/components/Vaults'
import type { PageProps } from '@/routes/Page'

/** The page that says what state the protocol is in, why, and what happens next. */
export function Overview({ live, view }: PageProps) {
  const { nowTs } = live
  return (
    <div className="page">
      <div className="page-status">
        <Headline view={view} nowTs={nowTs} />
        <ScopeTiles view={view} nowTs={nowTs} />
        <Possible view={view} />
      </div>
      <aside className="page-rail" aria-label="Next and past">
        <Next view={view} nowTs={nowTs} />
        <Timeline events={live.timeline.events} isOpen={live.timeline.isOpen} nowTs={live.hostTs} isTold={view.keeper !== null} />
      </aside>
      <div className="page-details">
        <Assets view={view} series={live.series} />
        <Rules view={view} nowTs={nowTs} />
        <Vaults view={view} />
        <Keepers view={view} nowTs={nowTs} />
      </div>
    </div>
  )
}
