import { type Page, expect, test } from '@playwright/test'
import { NOW, VAULT, key, positionsOf } from './accounts'
import { accessible, mocked } from './page'

// What a page says while its data is doubtful: each state before and after the first answer, on a screen and on a phone.

const SIZES = [['a screen', 1360, 'dark'], ['a phone', 390, 'light']] as const

async function sized(page: Page, width: number, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.setViewportSize({ width, height: 900 })
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  await mocked(page, 'halt')
}
const STATE = '**/api/v1/state'

for (const [where, width, look] of SIZES) {
  test(`loading says so on ${where}`, async ({ page }) => {
    await sized(page, width, look)
    await page.route(STATE, () => new Promise(() => undefined))
    await page.goto('/')
    await expect(page.getByRole('status').getByRole('heading', { name: 'Reading the keeper’s state' })).toBeVisible()
    await accessible(page)
  })

  test(`a keeper that never answered is named on ${where}`, async ({ page }) => {
    await sized(page, width, look)
    await page.route(STATE, (route) => route.abort())
    await page.goto('/')
    await expect(page.getByRole('alert').getByRole('heading', { name: 'The keeper can’t be reached' })).toBeVisible()
    await accessible(page)
  })

  test(`an answer that can’t be read is an error on ${where}`, async ({ page }) => {
    await sized(page, width, look)
    await page.route(STATE, (route) => route.fulfill({ json: { schema: 2 } }))
    await page.goto('/')
    await expect(page.getByRole('alert').getByRole('heading', { name: 'The keeper’s answer can’t be read' })).toBeVisible()
    await accessible(page)
  })

  for (const path of ['/', `/vaults/${VAULT}`, '/changes']) {
    test(`${path.split('/')[1] || 'overview'} keeps what it has, and says how old it is, on ${where}`, async ({ page }) => {
      await sized(page, width, look)
      await page.goto(path)
      await expect(page.getByText('Live', { exact: true })).toBeVisible()
      // the state doesn't move on
      await page.clock.setFixedTime((NOW + 30) * 1_000)
      await expect(page.getByText('Stale', { exact: true })).toBeVisible()
      await expect(page.getByText('No update for more than 5 seconds.')).toBeVisible()
      await accessible(page)
      await page.route(STATE, (route) => route.abort())
      await expect(page.getByText('Disconnected', { exact: true })).toBeVisible()
      await expect(page.getByRole('alert').getByText('The keeper can’t be reached.')).toBeVisible()
      await accessible(page)
      await page.unroute(STATE)
      await page.route(STATE, (route) => route.fulfill({ status: 500, json: {} }))
      await expect(page.getByRole('alert').getByText('The keeper answered with status 500.')).toBeVisible()
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
      await accessible(page)
    })
  }

  test(`settings by a link are told on top, and nobody is reached, on ${where}`, async ({ page }) => {
    await sized(page, width, look)
    await page.goto(`/vaults?rpc=${encodeURIComponent('https://rpc.example.org/x')}&guard=${key('a guard')}`)
    await expect(page.getByText('The link that was opened chose the endpoint and the guard.')).toBeVisible()
    await expect(page.getByText(key('a guard'))).toBeVisible()
    await expect(page.getByRole('alert').getByRole('heading', { name: 'The RPC endpoint can’t be reached' })).toBeVisible()
    await accessible(page)
    await page.getByRole('link', { name: 'Rules' }).click()
    await expect(page).toHaveURL(/\/rules\?rpc=.*&guard=/)
  })

  test(`settings that are wrong stop the page, with the reason, on ${where}`, async ({ page }) => {
    await sized(page, width, look)
    await page.goto('/?rpc=https%3A%2F%2Frpc.example.org')
    await expect(page.getByRole('alert')).toContainText('it has to name both, `rpc` and `guard`.')
    await accessible(page)
    await page.route('**/config.json', (route) => route.fulfill({ json: { rpcUrl: 'here' } }))
    await page.getByRole('link', { name: 'Open the page without what its address says' }).click()
    await expect(page.getByRole('alert')).toContainText('config.json can’t be used: rpcUrl must be an http or https address.')
  })

  test(`ten thousand positions are listed, ordered and searched on ${where}`, async ({ page }) => {
    await sized(page, width, look)
    await page.unroute('**/api/v1/**')
    await mocked(page, 'halt', positionsOf(10_000))
    await page.goto(`/vaults/${VAULT}`)
    const table = page.getByRole('table', { name: /^Positions with debt/ })
    await expect(table).toHaveAttribute('aria-rowcount', '10001')
    // only what is seen is drawn
    expect(await table.getByRole('row').count()).toBeLessThan(60)
    const shown = (row: number) => table.locator(`[aria-rowindex="${row}"]`)
    const owner = (row: number) => shown(row).locator('.address').first().getAttribute('title')
    await expect(shown(2)).toContainText(/%|no collateral/)
    await page.getByLabel('Order').selectOption({ label: 'largest debt first' })
    expect(await owner(2)).toBe(key('borrower 9999'))
    const box = page.getByRole('group', { name: 'Positions with debt' })
    await box.evaluate((element) => element.scrollTo({ top: element.scrollHeight }))
    await expect(shown(10_001)).toBeVisible()
    expect(await owner(10_001)).toBe(key('borrower 0'))
    await page.getByLabel('Search by owner or position').fill(key('borrower 5000'))
    await expect(table).toHaveAttribute('aria-rowcount', '2')
    await expect(page.getByText('1 of 10,000')).toBeVisible()
    await page.getByLabel('Search by owner or position').fill('')
    await expect(table).toHaveAttribute('aria-rowcount', '10001')
    // the page still takes what is pressed
    await page.getByRole('link', { name: 'Rules' }).click()
    await expect(page.getByRole('heading', { level: 1, name: 'Rules' })).toBeVisible()
    await page.goBack()
    await expect(table).toHaveAttribute('aria-rowcount', '10001')
    await accessible(page)
  })
}

test('a pause is told in words, simulated nowhere before it is asked for, and read back', async ({ page }) => {
  await sized(page, 390, 'light')
  await page.goto('/changes')
  await page.getByRole('button', { name: 'Pause', exact: true }).click()
  await page.getByLabel('For how long').fill('90')
  await expect(page.getByRole('region', { name: 'What it does' })).toContainText(/Borrow\s*Blocked.*It holds for 2 h and ends by itself/s)
  await accessible(page)
  await page.getByText('Export for Squads, Realms or other tools').click()
  const text = await page.getByLabel(/^Realms/).inputValue()
  await page.getByLabel('What you were given').fill(text)
  await expect(page.getByRole('heading', { name: 'Instruction 1: guardian pause' })).toBeVisible()
  await expect(page.getByRole('article', { name: 'Instruction 1' })).toContainText(/Raises the level of a scope for a bounded time.*Reduce only.*5,400 s/s)
})
