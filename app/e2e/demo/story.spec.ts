import { type Page, expect, test } from '@playwright/test'
import { isWhole, shot } from './check'
import { type Demo, type Served, buildApp, serve, startDemo } from './harness'
import { peopleOf } from './keys'

// A crash, told by the keepers of a demo that runs headless. The steps follow each other: the story is played once.

let demo: Demo | undefined
let served: Served
let page: Page

test.describe.configure({ mode: 'serial' })
test.beforeAll(async ({ browser }) => {
  served = await serve(await buildApp({}), { keeper: () => demo?.keeper })
  page = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage()
})
test.afterAll(async () => {
  await page.context().close()
  served.stop()
  await demo?.stop()
})

interface State {
  chain: { unix_ts: number }
  vaults: { name: string; level: number; debt_amount: string; positions: { borrowers: number } }[]
}
const state = async (): Promise<State> => (await (await fetch(`${demo?.keeper ?? ''}/api/v1/state`)).json()) as State
const level = (name: string) => page.getByRole('region', { name: 'Levels' }).getByRole('listitem').filter({ has: page.getByRole('heading', { name }) }).locator('.level-word')
const word = (text: string) => new RegExp(`^${text}$`)

test('waits for a keeper, then starts at Normal with the vaults of the demo', async () => {
  test.setTimeout(900_000)
  await page.goto(served.url)
  await expect(page.getByRole('heading', { name: 'The keeper can’t be reached' })).toBeVisible()
  demo = await startDemo(['--headless', '--speed', '10'])
  await expect(page.getByText('Live', { exact: true })).toBeVisible()
  await expect(level('SOL/USDC')).toHaveText(word('Normal'))
  await expect(level('BTC/USDC')).toHaveText(word('Normal'))
  await shot(page, 'story-normal')
})

test('is the same page where the keeper itself serves it, under its own policy', async ({ browser }) => {
  const own = await (await browser.newContext()).newPage()
  const refused: string[] = []
  own.on('console', (message) => {
    // that no settings lie beside the files is a plain 404
    if (/Content Security Policy/.test(message.text())) refused.push(message.text())
  })
  own.on('pageerror', (error) => refused.push(error.message))
  await own.goto(demo?.keeper ?? '')
  await expect(own.getByText('Live', { exact: true })).toBeVisible()
  await expect(own.getByRole('region', { name: 'Levels' }).getByRole('heading', { name: 'SOL/USDC' })).toBeVisible()
  expect(refused).toEqual([])
  await own.context().close()
})

test('goes to Caution on the keepers’ score, and says that exits stay as they are', async () => {
  await expect(level('SOL/USDC')).toHaveText(word('Caution'), { timeout: 60_000 })
  await expect(page.getByText(/It restricts new risk; exits stay as they are/)).toBeVisible()
  await shot(page, 'story-caution')
})

test('goes to Reduce only as the price falls', async () => {
  await expect(level('SOL/USDC')).toHaveText(word('Reduce only'), { timeout: 90_000 })
  await expect(page.getByRole('row', { name: /^Borrow/ }).getByText('Blocked').first()).toBeVisible()
  await expect(page.getByRole('row', { name: /^Withdraw/ }).getByText('Floor only').first()).toBeVisible()
  await expect(page.getByRole('row', { name: /^Repay/ }).getByText('Open').first()).toBeVisible()
  await shot(page, 'story-reduce-only')
})

test('tells in the timeline what raised the level', async () => {
  const timeline = page.getByRole('region', { name: 'Timeline' })
  await timeline.getByRole('button', { name: 'Levels' }).click()
  await expect(timeline.getByText('Breaker tripped').first()).toBeVisible()
  await expect(timeline.getByText(/SOL drawdown/).first()).toBeVisible()
  await timeline.getByRole('button', { name: 'All', exact: true }).click()
})

test('loses the keeper, says since when nothing is new, and finds it again', async () => {
  const pid = demo?.keeperPid ?? 0
  expect(pid).toBeGreaterThan(0)
  process.kill(pid, 'SIGSTOP')
  try {
    await expect(page.getByText('Disconnected', { exact: true })).toBeVisible({ timeout: 30_000 })
    await expect(page.getByRole('alert').getByText(/What you see is as of/)).toBeVisible()
    // what was known stays on screen
    await expect(level('SOL/USDC')).toHaveText(word('Reduce only'))
    await shot(page, 'story-disconnected')
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await expect(page.getByText('Live', { exact: true })).toBeVisible({ timeout: 30_000 })
  await expect(page.getByRole('alert')).toHaveCount(0)
})

test('shows the vaults’ numbers as the keeper has them', async () => {
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Vaults' }).click()
  await page.getByRole('navigation', { name: 'Vaults' }).getByRole('link', { name: /SOL\/USDC/ }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'SOL/USDC' })).toBeVisible()
  const debt = page.getByRole('region', { name: 'Books' }).locator('div', { has: page.getByText('Debt', { exact: true }) }).last()
  await expect(async () => {
    const told = (await state()).vaults.find(({ name }) => name === 'SOL/USDC')
    const millions = (Number(told?.debt_amount) / 1e12).toString().slice(0, 4)
    await expect(debt).toContainText(`${millions}M USDC`, { timeout: 1_000 })
  }).toPass()
  await expect(page.getByText(/\d+ with debt: \d+ soft, \d+ liquidatable/)).toBeVisible()
})

test('lets a lender see what the floor still lets out', async () => {
  const { lender } = await peopleOf()
  await page.goto(`${served.url}/exit/${lender.address}`)
  const lent = page.getByRole('article', { name: 'SOL/USDC' }).getByRole('region', { name: 'Lent' })
  await expect(lent.getByRole('listitem').first()).toContainText('left of today’s exit floor')
  // one percent of two million, and the interest on it
  await expect(lent.locator('.out-now strong')).toHaveText(/^20,0\d\d(\.\d+)? USDC$/)
  await shot(page, 'story-exit')
})

for (const path of ['/', '/vaults', '/rules', '/changes', '/keepers', '/reserve', '/lab', '/exit']) {
  test(`${path} is whole during the crash`, async () => {
    await page.goto(`${served.url}${path}`)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await expect(page.getByText(/^Reading /)).toHaveCount(0)
    await isWhole(page)
    await shot(page, `story${path.replace('/', '-')}`)
  })
}
