import { type ReactNode, useId } from 'react'

interface PanelProps {
  /** Heading, also the region's name. */
  title: string
  /** One line beside or under the heading. */
  note?: ReactNode
  /** Controls at the heading's end. */
  actions?: ReactNode
  /** Extra class. */
  className?: string
  children: ReactNode
}

/** A titled region of the page. */
export function Panel({ title, note, actions, className = '', children }: PanelProps) {
  const id = useId()
  return (
    <section className={`panel ${className}`} aria-labelledby={id}>
      <header className="panel-head">
        <h2 id={id}>{title}</h2>
        {note !== undefined && <p className="panel-note">{note}</p>}
        {actions !== undefined && <div className="panel-actions">{actions}</div>}
      </header>
      {children}
    </section>
  )
}

/** What a list says when it has nothing to show. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>
}
