import { Assets } from '@/features/assets/components/Assets'
import { Timeline } from '@/features/events/components/Timeline'
import { Keepers } from '@/features/keepers/components/Keepers'
import type { Live } from '@/features/live/api/useLive'
import { Rules } from '@/features/rules/components/Rules'
import { Headline } from '@/features/status/components/Headline'
import { Next } from '@/features/status/components/Next'
import { Possible } from '@/features/status/components/Possible'
import { ScopeTiles } from '@/features/status/components/ScopeTiles'
import { Vaults } from '@/features/vaults/components/Vaults'
import type { View } from '@/lib/schema/view'
import { Banner } from '@/routes/Banner'
import { Header } from '@/routes/Header'
import { Waiting } from '@/routes/Waiting'

function Loaded({ live, view }: { live: Live; view: View }) {
  const { nowTs } = live
  return (
    <div className="page" data-doubt={live.health !== 'live'}>
      <div className="page-status">
        <Headline view={view} nowTs={nowTs} />
        <ScopeTiles view={view} nowTs={nowTs} />
        <Possible view={view} />
      </div>
      <aside className="page-rail" aria-label="Next and past">
        <Next view={view} nowTs={nowTs} />
        <Timeline events={live.timeline.events} isOpen={live.timeline.isOpen} nowTs={live.hostTs} />
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

/** The page that says what state the protocol is in, why, and what happens next. */
export function Overview({ live }: { live: Live }) {
  const { view } = live.link
  return (
    <>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <Header live={live} />
      <main id="content" tabIndex={-1}>
        <Banner live={live} />
        {view === null ? <Waiting health={live.health} reason={live.link.failure?.message ?? null} /> : <Loaded live={live} view={view} />}
      </main>
    </>
  )
}
