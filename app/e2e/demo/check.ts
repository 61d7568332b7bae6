import AxeBuilder from '@axe-core/playwright'
import { type Page, expect } from '@playwright/test'

const SHOTS = process.env.SHOTS

/** Keeps a picture of the page where `SHOTS` names a folder. */
export async function shot(page: Page, name: string): Promise<void> {
  if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true })
}

/** Requires that a page has no fault that axe finds, and doesn't scroll sideways. */
export async function isWhole(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).slice(0, 4).join(' | ')}`)).toEqual([])
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
}
