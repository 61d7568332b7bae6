import { readFileSync } from 'node:fs'
import AxeBuilder from '@axe-core/playwright'
import { type Page, expect } from '@playwright/test'
import { NOW, answer, relayed, stream } from './accounts'

/** Results as the lab's own commands wrote them, beside the app. */
const LAB = ['validate.json', 'backtest.json', 'attack.json', 'hedge.json', 'sweep.jsonl', 'report.json']
const labFile = (name: string) => (name === 'index.json' ? JSON.stringify({ results: LAB }) : LAB.includes(name) ? readFileSync(new URL(`../src/testing/lab/${name}`, import.meta.url), 'utf8') : null)

/** Answers for a keeper with invented data, at a moment that stands still. `rpc` answers what a keeper passes on, before the rest. */
export async function mocked(page: Page, scenario: string, rpc: (body: string) => unknown = () => null): Promise<void> {
  await page.clock.setFixedTime(NOW * 1_000)
  await page.route('**/lab/*.json*', (route) => {
    const body = labFile(new URL(route.request().url()).pathname.split('/').at(-1) ?? '')
    return body === null ? route.fulfill({ status: 404, body: 'no' }) : route.fulfill({ contentType: 'application/json', body })
  })
  await page.route('**/api/v1/**', (route) => {
    const url = new URL(route.request().url())
    if (url.pathname.endsWith('/events')) return route.fulfill({ contentType: 'text/event-stream', body: stream(scenario) })
    const body = url.pathname.endsWith('/rpc') ? (rpc(route.request().postData() ?? '{}') ?? relayed(route.request().postData() ?? '{}')) : answer(url, scenario)
    return body === null ? route.fulfill({ status: 404, json: { error: 'no' } }) : route.fulfill({ json: body })
  })
}

/** No violation of accessibility that a program finds, and nothing wider than the window. */
export async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).slice(0, 4).join(' | ')}`)).toEqual([])
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
}
