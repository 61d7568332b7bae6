import { createRoot } from 'react-dom/client'
import { Icon } from '@/components/ui/Icon'
import { BadSettings } from '@/config/given'

/** Says why nothing is read: with settings that are half wrong a page would show another guard than was meant. */
export function Refused({ why }: { why: string }) {
  return (
    <main id="content">
      <section className="waiting" role="alert" data-health="error">
        <Icon name="cross" size={34} />
        <h1>These settings can’t be used</h1>
        <p>{why}</p>
        <p className="quiet">Nothing is read until they are right.</p>
        {window.location.search !== '' && (
          <p>
            <a className="link" href={window.location.pathname}>
              Open the page without what its address says
            </a>
          </p>
        )}
      </section>
    </main>
  )
}

/** Shows why the app doesn't start. */
export function refuse(root: HTMLElement, error: unknown): void {
  document.title = 'Settings can’t be used · Rampart'
  createRoot(root).render(<Refused why={error instanceof BadSettings ? error.message : 'The page can’t be loaded whole: reload it.'} />)
}
