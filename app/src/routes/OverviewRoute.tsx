import { useLive } from '@/features/live/api/useLive'
import { Overview } from '@/routes/Overview'

/** The overview, live from the keeper that serves the app. */
export function OverviewRoute() {
  return <Overview live={useLive()} />
}
