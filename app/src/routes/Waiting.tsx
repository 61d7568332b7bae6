import { Icon } from '@/components/ui/Icon'
import type { Health } from '@/lib/connection'

const TEXTS: Record<'loading' | 'disconnected' | 'error', { title: string; text: string }> = {
  loading: { title: 'Reading the keeper’s state', text: 'This takes a second.' },
  disconnected: {
    title: 'The keeper can’t be reached',
    text: 'Check that it runs and that this page is open at its address. The page tries again each second.',
  },
  error: {
    title: 'The keeper’s answer can’t be read',
    text: 'It is still starting, or the app and the keeper differ in version. The page tries again each second.',
  },
}

/** The page before the first state. */
export function Waiting({ health, reason }: { health: Health; reason: string | null }) {
  const { title, text } = TEXTS[health === 'disconnected' || health === 'error' ? health : 'loading']
  return (
    <section className="waiting" role={health === 'loading' ? 'status' : 'alert'} data-health={health}>
      <Icon name={health === 'loading' ? 'clock' : health === 'error' ? 'cross' : 'cut'} size={34} />
      <h1>{title}</h1>
      {health === 'error' && reason !== null && <p>{reason}</p>}
      <p className="quiet">{text}</p>
    </section>
  )
}
