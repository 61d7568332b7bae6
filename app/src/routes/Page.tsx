import { useEffect, useRef } from 'react'
import { env } from '@/config/env'
import { useGenesis } from '@/features/live/api/useGenesis'
import type { Live } from '@/features/live/api/useLive'
import { type PageName, type Route, titleOf } from '@/lib/route'
import type { View } from '@/lib/schema/view'
import { Banner, Elsewhere, Pointed } from '@/routes/Banner'
import { ChangesPage } from '@/routes/ChangesPage'
import { ExitPage } from '@/routes/ExitPage'
import { Header } from '@/routes/Header'
import { KeepersPage } from '@/routes/KeepersPage'
import { LabPage } from '@/routes/LabPage'
import { Missing } from '@/routes/Missing'
import { Nav } from '@/routes/Nav'
import { Overview } from '@/routes/Overview'
import { ReservePage } from '@/routes/ReservePage'
import { RulesPage } from '@/routes/RulesPage'
import { VaultsPage } from '@/routes/VaultsPage'
import { Waiting } from '@/routes/Waiting'

/** What a page is given. */
export interface PageProps {
  live: Live
  view: View
  item: string | null
}

const CONTENT: Record<PageName, (props: PageProps) => React.ReactNode> = {
  overview: Overview,
  vaults: VaultsPage,
  rules: RulesPage,
  changes: ChangesPage,
  keepers: KeepersPage,
  reserve: ReservePage,
  lab: LabPage,
  exit: ExitPage,
}

/** Names the document, and takes those who went on to another page to its start. */
function useArrival(page: PageName | null, main: React.RefObject<HTMLElement | null>): void {
  const before = useRef(page)
  useEffect(() => {
    document.title = `${titleOf(page)} · Rampart`
    if (before.current === page) return
    before.current = page
    window.scrollTo(0, 0)
    main.current?.focus({ preventScroll: true })
  }, [page, main])
}

function Content({ live, route }: { live: Live; route: Route }) {
  const { view, failure } = live.link
  if (route.page === null) return <Missing />
  if (view === null) return <Waiting health={live.health} reason={failure?.message ?? null} />
  const Shown = CONTENT[route.page]
  return (
    <div className="content" data-doubt={live.health !== 'live'}>
      <Shown live={live} view={view} item={route.item} />
    </div>
  )
}

/** Compares the chain with the cluster that the settings name. */
function Checked() {
  return <Elsewhere genesis={useGenesis()} />
}

/** The frame of every page: who serves it, the ways on, what is in doubt, and the page's content. */
export function Page({ live, route }: { live: Live; route: Route }) {
  const main = useRef<HTMLElement>(null)
  useArrival(route.page, main)
  return (
    <>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <div className="head">
        <Header live={live} />
        <Nav page={route.page} />
      </div>
      <main id="content" tabIndex={-1} ref={main}>
        <Pointed />
        {env.cluster !== null && <Checked />}
        <Banner live={live} />
        <Content live={live} route={route} />
      </main>
    </>
  )
}
