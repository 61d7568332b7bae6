import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Providers } from '@/providers'
import { App } from '@/routes/App'

/** Shows the app. Where its data is has been settled. */
export function start(root: HTMLElement): void {
  createRoot(root).render(
    <StrictMode>
      <Providers>
        <App />
      </Providers>
    </StrictMode>,
  )
}
