import { Address } from '@/components/ui/Address'
import { Icon, type IconName } from '@/components/ui/Icon'
import type { Live } from '@/features/live/api/useLive'
import { formatCount } from '@/lib/amount'
import type { Health } from '@/lib/connection'
import { type Theme, useTheme } from '@/providers'

const HEALTH: Record<Health, { icon: IconName; word: string; state: string }> = {
  loading: { icon: 'clock', word: 'Connecting', state: 'limited' },
  live: { icon: 'link', word: 'Live', state: 'open' },
  stale: { icon: 'clock', word: 'Stale', state: 'limited' },
  disconnected: { icon: 'cut', word: 'Disconnected', state: 'closed' },
  error: { icon: 'cross', word: 'Error', state: 'closed' },
}

const NEXT_THEME: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const THEME_ICON: Record<Theme, IconName> = { system: 'auto', light: 'sun', dark: 'moon' }

function ThemeToggle() {
  const { theme, setTheme } = useTheme()
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={`Theme: ${theme}. Switch to ${NEXT_THEME[theme]}`}
      title={`Theme: ${theme}`}
      onClick={() => {
        setTheme(NEXT_THEME[theme])
      }}
    >
      <Icon name={THEME_ICON[theme]} size={18} />
    </button>
  )
}

function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
      <path d="M4 27V7h6v5h3V7h6v5h3V7h6v20h-8v-5a4 4 0 0 0-8 0v5z" />
    </svg>
  )
}

/** Who serves the page, how fresh it is, and the theme. */
export function Header({ live }: { live: Live }) {
  const health = HEALTH[live.health]
  const view = live.link.view
  return (
    <header className="top">
      <p className="brand">
        <Mark /> Rampart
      </p>
      {view !== null && (
        <ul className="top-facts" aria-label="Source">
          {view.keeper === null ? (
            <>
              <li>No keeper</li>
              <li>Read only</li>
            </>
          ) : (
            <>
              <li>
                <span className="quiet">Keeper</span> {view.keeper.name}
              </li>
              <li>{view.keeper.mode === 'act' ? 'Acting' : 'Observing only'}</li>
            </>
          )}
          <li className="top-guard">
            <span className="quiet">Guard</span> <Address value={view.guard.address} label="guard address" />
          </li>
          <li className="number top-slot">
            <span className="quiet">Slot</span> {formatCount(view.chain.slot)}
          </li>
        </ul>
      )}
      <span className="pass health" data-state={health.state}>
        <Icon name={health.icon} size={18} />
        {health.word}
      </span>
      <ThemeToggle />
    </header>
  )
}
