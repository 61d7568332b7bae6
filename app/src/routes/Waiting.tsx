import { Icon } from '@/components/ui/Icon'
import { env } from '@/config/env'
import type { Health } from '@/lib/connection'

const WHO = env.isAlone ? 'RPC endpoint' : 'keeper'

const TEXTS: Record<'loading' | 'disconnected' | 'error', { title: string; text: string }> = {
  loading: { title: env.isAlone ? 'Reading the accounts' : 'Reading the keeper’s state', text: 'This takes a second.' },
  disconnected: {
    title: `The ${WHO} can’t be reached`,
    text: env.isAlone
      ? 'Check the endpoint’s address in the page’s settings, and that the endpoint answers other origins. The page tries again every few seconds.'
      : 'Check that it runs and that this page is open at its address. The page tries again each second.',
  },
  error: {
    title: `The ${WHO}’s answer can’t be read`,
    text: env.isAlone ? 'The app and the program differ in version, or the endpoint refuses.' : 'It is still starting, or the app and the keeper differ in version. The page tries again each second.',
  },
}

/** The page before the first state. */
export function Waiting({ health, reason }: { health: Health; reason: string | null }) {
  const { title, text } = TEXTS[health === 'disconnected' || health === 'error' ? health : 'loading']
  return (
    <section className="waiting" role={health === 'loading' ? 'status' : 'alert'} data-health={health}>
      <Icon name={health === 'loading' ? 'clock' : health === 'error' ? 'cross' : 'cut'} size={34} />
      <h1>{title}</h1>
      {(health === 'error' || env.isAlone) && reason !== null && <p>{reason}</p>}
      <p className="quiet">{text}</p>
    </section>
  )
}
