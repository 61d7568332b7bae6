import type { MouseEvent, ReactNode } from 'react'
import { type PageName, navigate, pathOf } from '@/lib/route'

interface LinkProps {
  page: PageName
  item?: string | null
  className?: string
  isCurrent?: boolean
  children: ReactNode
}

/** A press that asks for a new tab or a download is the browser's. */
const isPlain = (event: MouseEvent): boolean =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey

/** A link to a page of the app. */
export function Link({ page, item = null, className = 'link', isCurrent = false, children }: LinkProps) {
  const path = pathOf(page, item)
  return (
    <a
      href={path}
      className={className}
      aria-current={isCurrent ? 'page' : undefined}
      onClick={(event) => {
        if (!isPlain(event)) return
        event.preventDefault()
        navigate(path)
      }}
    >
      {children}
    </a>
  )
}
