import { env } from '@/config/env'

/** The app's pages, in the order of the navigation. */
export const PAGES = [
  { page: 'overview', path: '', title: 'Overview' },
  { page: 'vaults', path: 'vaults', title: 'Vaults' },
  { page: 'rules', path: 'rules', title: 'Rules' },
  { page: 'changes', path: 'changes', title: 'Changes' },
  { page: 'keepers', path: 'keepers', title: 'Keepers' },
  { page: 'reserve', path: 'reserve', title: 'Reserve' },
  { page: 'lab', path: 'lab', title: 'Lab' },
  { page: 'exit', path: 'exit', title: 'Exit' },
] as const

/** Name of a page. */
export type PageName = (typeof PAGES)[number]['page']

/** Where the reader is: a page, and of it one item. */
export interface Route {
  /** The page; null where there is none. */
  page: PageName | null
  /** What the page is about: a vault's or an owner's address. */
  item: string | null
}

/** Returns the route of a path. The keeper answers every path without a dot with the app, so paths CAN be routes. */
export function routeOf(path: string): Route {
  const [head = '', item = '', ...rest] = path.replace(/^\/|\/$/g, '').split('/')
  const known = PAGES.find((page) => page.path === head)
  if (known === undefined || rest.length > 0) return { page: null, item: null }
  return { page: known.page, item: item === '' ? null : decoded(item) }
}

/** A path that isn't encoded well names nothing that exists, and must not throw. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Returns the path of a page, or of one of its items. */
export function pathOf(page: PageName, item: string | null = null): string {
  const path = PAGES.find((known) => known.page === page)?.path ?? ''
  return `${item === null ? `/${path}` : `/${path}/${encodeURIComponent(item)}`}${env.search}`
}

/** Returns a page's title. */
export function titleOf(page: PageName | null): string {
  return PAGES.find((known) => known.page === page)?.title ?? 'No such page'
}

/** Goes to a path of the app without a load. */
export function navigate(path: string): void {
  if (path === `${window.location.pathname}${window.location.search}`) return
  window.history.pushState(null, '', path)
  window.dispatchEvent(new PopStateEvent('popstate'))
}
