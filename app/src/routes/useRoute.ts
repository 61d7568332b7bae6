import { useMemo, useSyncExternalStore } from 'react'
import { type Route, routeOf } from '@/lib/route'

function subscribe(onMove: () => void): () => void {
  window.addEventListener('popstate', onMove)
  return () => {
    window.removeEventListener('popstate', onMove)
  }
}

/** Returns where the reader is. */
export function useRoute(): Route {
  const path = useSyncExternalStore(subscribe, () => window.location.pathname)
  return useMemo(() => routeOf(path), [path])
}
