import { useEffect, useState } from 'react'

/**
 * What is made aside, such as an instruction whose addresses are derived: null until it is there, and where it can't be made.
 * It is made when `id` moves, not at every second of the clock.
 */
export function useMade<T>(id: string, make: () => Promise<T>): T | null {
  const [made, setMade] = useState<{ id: string; value: T } | null>(null)
  useEffect(() => {
    let isOver = false
    make().then(
      (value) => {
        if (!isOver) setMade({ id, value })
      },
      () => {
        if (!isOver) setMade(null)
      },
    )
    return () => {
      isOver = true
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [id])
  return made?.id === id ? made.value : null
}
