import { type ReactNode, useState } from 'react'

interface FigureProps {
  /** What the figure shows, one line. */
  caption: string
  /** The drawing. */
  chart: ReactNode
  /** The same facts as a table. */
  table: ReactNode
}

/** A drawing that can be read as a table. */
export function Figure({ caption, chart, table }: FigureProps) {
  const [isTable, setIsTable] = useState(false)
  return (
    <figure className="figure">
      <figcaption>
        <span>{caption}</span>
        <button
          type="button"
          className="quiet-button"
          aria-pressed={isTable}
          onClick={() => {
            setIsTable(!isTable)
          }}
        >
          {isTable ? 'Show chart' : 'Show table'}
        </button>
      </figcaption>
      {isTable ? table : chart}
    </figure>
  )
}
