import { type Page, expect, test } from '@playwright/test'
import { isWhole, shot } from './check'
import { type Demo, type Served, buildApp, serve, startDemo } from './harness'
import { peopleOf } from './keys'

// The app as static files, with an RPC endpoint alone: no keeper answers it.

let demo: Demo
let served: Served

test.beforeAll(async () => {
  demo = await startDemo(['--headless', '--speed', '10'])
  const settings = { VITE_RAMPART_RPC: demo.rpc, VITE_RAMPART_GUARD: demo.guard, VITE_RAMPART_LABELS: JSON.stringify(demo.labels) }
  served = await serve(await buildApp(settings), { rpc: demo.rpc })
})
test.afterAll(async () => {
  served.stop()
  await demo.stop()
})

async function opened(page: Page, path: string): Promise<void> {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await page.goto(`${served.url}${path}`)
  await expect(page.getByText('No keeper serves this page: it reads accounts on chain, and only reads.')).toBeVisible({ timeout: 20_000 })
  await expect(page.getByText(/^Reading /)).toHaveCount(0, { timeout: 20_000 })
}

test('the overview has levels, books and positions from accounts, and says what is missing', async ({ page }) => {
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await opened(page, '/')
  await expect(page.getByText('Live', { exact: true })).toBeVisible()
  await page.getByText('What is missing without a keeper').click()
  await expect(page.getByText('A keeper measures them.', { exact: false })).toBeVisible()
  const vault = page.getByRole('article', { name: 'SOL/USDC' })
  await expect(vault.getByText(/\d+ with debt/)).toBeVisible()
  await expect(page.getByRole('article', { name: 'SOL', exact: true }).getByText(/last recorded on chain/)).toBeVisible()
  await shot(page, 'alone-overview')
  expect(asked.filter((url) => url.includes('/api/'))).toEqual([])
})

test('what the page reads from accounts is what a keeper tells of them', async ({ page }) => {
  await opened(page, '/')
  const told = (await (await fetch(`${demo.keeper}/api/v1/state`)).json()) as { vaults: { name: string; level: number; positions: { borrowers: number } }[]; rules: { name: string }[] }
  const LEVELS = ['Normal', 'Caution', 'Reduce only', 'Halt', 'Resolution']
  for (const { name, level, positions } of told.vaults) {
    const vault = page.getByRole('article', { name })
    await expect(vault.locator('header').getByText(LEVELS[level] ?? '', { exact: true })).toBeVisible()
    await expect(vault.getByText(new RegExp(`^${positions.borrowers} with debt`))).toBeVisible()
  }
  await page.goto(`${served.url}/rules`)
  for (const { name } of told.rules) await expect(page.getByRole('rowheader', { name: new RegExp(`^${name}`) }).first()).toBeVisible()
  await expect(page.getByText('a keeper measures it, and none serves this page').first()).toBeVisible()
})

for (const path of ['/', '/vaults', '/rules', '/changes', '/keepers', '/reserve', '/exit', '/lab']) {
  test(`${path} is whole without a keeper`, async ({ page }) => {
    await opened(page, path)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await isWhole(page)
    await shot(page, `alone${path.replace('/', '-')}`)
  })
}

test('an owner finds a position and its exit floor', async ({ page }) => {
  const { lender } = await peopleOf()
  await opened(page, `/exit/${lender.address}`)
  const position = page.getByRole('article', { name: 'SOL/USDC' })
  await expect(position.getByRole('region', { name: 'Lent' }).getByText(/^of 2,000,\d{3}/)).toBeVisible()
  await isWhole(page)
  await shot(page, 'alone-exit-owner')
})

test('an endpoint that is gone is named, and not taken for a keeper', async ({ page }) => {
  await opened(page, '/')
  await page.route(`${demo.rpc}/**`, (route) => route.abort())
  await expect(page.getByRole('alert').getByText('The RPC endpoint can’t be reached.')).toBeVisible({ timeout: 20_000 })
  await page.unroute(`${demo.rpc}/**`)
  await expect(page.getByText('Live', { exact: true })).toBeVisible({ timeout: 20_000 })
})
