import { expect, it } from 'vitest'
import { PAGES, pathOf, routeOf } from '@/lib/route'

it('finds each page by the path that it gives', () => {
  for (const { page } of PAGES) expect(routeOf(pathOf(page))).toEqual({ page, item: null })
  expect(routeOf(pathOf('vaults', 'A b'))).toEqual({ page: 'vaults', item: 'A b' })
})

it('knows no page for other paths, and throws for none', () => {
  for (const path of ['/nothing', '/vaults/a/b', '/x/y']) expect(routeOf(path).page).toBeNull()
  expect(routeOf('/exit/%E0%A4%A')).toEqual({ page: 'exit', item: '%E0%A4%A' })
})
