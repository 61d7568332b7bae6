import { useLive } from '@/features/live/api/useLive'
import { Page } from '@/routes/Page'
import { useRoute } from '@/routes/useRoute'

/** The app, live from the keeper that serves it. */
export function App() {
  return <Page live={useLive()} route={useRoute()} />
}
