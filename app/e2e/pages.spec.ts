import AxeBuilder from '@axe-core/playwright'
import { expect, test } from '@playwright/test'
import { OWNER, POLICY, VAULT } from './accounts'
import { accessible, mocked } from './page'

const PATHS = ['/', `/vaults/${VAULT}`, '/rules', '/changes', '/keepers', '/reserve', '/lab', `/exit/${OWNER}`]
const nameOf = (path: string) => path.split('/')[1] || 'overview'
/** Looks of which a picture is kept, by page. */
const KEPT: Record<string, string[]> = { overview: ['light', 'dark', 'phone'], changes: ['light', 'phone'] }

for (const path of PATHS) {
  for (const [look, colorScheme, width] of [['light', 'light', 1360], ['dark', 'dark', 1360], ['phone', 'light', 390]] as const) {
    test(`${nameOf(path)} is whole and accessible, ${look}`, async ({ page }) => {
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await mocked(page, 'halt')
      await page.goto(path)
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
      await expect(page.getByText(/^Reading /)).toHaveCount(0)
      if ((KEPT[nameOf(path)] ?? ['light']).includes(look)) await expect(page).toHaveScreenshot(`${nameOf(path)}-${look}.png`, { fullPage: true })
      await accessible(page)
    })
  }
}

test('the way from page to page is by the keyboard, and a veto is read back in words', async ({ page }) => {
  await mocked(page, 'halt')
  await page.goto('/')
  await page.getByRole('link', { name: 'Changes' }).focus()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/changes$/)
  await expect(page.locator('main')).toBeFocused()
  await page.getByRole('button', { name: 'Veto' }).first().click()
  const message = await page.getByLabel(/^Squads/).inputValue()
  await page.getByLabel('What you were given').fill(message)
  await expect(page.getByRole('heading', { name: 'Instruction 1: veto change' })).toBeVisible()
})

test('a threshold is tried on the samples that were kept', async ({ page }) => {
  await mocked(page, 'halt')
  await page.goto('/rules')
  await page.getByLabel('Rule', { exact: true }).selectOption({ label: 'SOL drawdown' })
  await expect(page.getByText(/^The samples are too far apart for a window/)).toBeVisible()
  await page.getByLabel('Rule', { exact: true }).selectOption({ label: 'SOL off its reference' })
  await page.getByLabel('Threshold, %').fill('15')
  await expect(page.getByText(/^3 times would 15 % have tripped in 30 d of samples/)).toBeVisible()
  await page.getByLabel('Threshold, %').fill('45')
  await expect(page.getByText(/^Never would 45 % have tripped/)).toBeVisible()
  await expect(page).toHaveScreenshot('whatif.png', { fullPage: true })
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations).toEqual([])
})

test('without a relay a page says that it can neither simulate nor list positions, and exports still', async ({ page }) => {
  await mocked(page, 'halt')
  await page.goto(`/vaults/${VAULT}`)
  await expect(page.getByText(/tells positions by their owner alone/)).toBeVisible()
  await page.goto('/changes')
  await page.getByRole('button', { name: 'Veto' }).first().click()
  await page.getByRole('button', { name: 'Simulate' }).click()
  await expect(page.getByText(/can neither simulate nor send/)).toBeVisible()
  await page.getByText('Export for Squads, Realms or other tools').click()
  await expect(page.getByLabel(/^Squads/)).toBeVisible()
})

test('every change that waits says what is now, what shall be, and which way it moves', async ({ page }) => {
  await mocked(page, 'halt')
  await page.goto('/changes')
  const told = (name: RegExp) => page.getByRole('article', { name })
  await expect(told(/^Dollar limit of all vaults together$/)).toContainText(/Limit.*\$3,000,000.*\$3,600,000.*Looser/s)
  await expect(told(/^Switch of integration 0 of .* \(USDC\)$/)).toContainText(/Switch.*on.*off.*Looser/s)
  await expect(told(/^Holder of integration 0 of .* \(USDC\)$/)).toContainText(/Holder.*the guard, by.*Looser/s)
  await expect(page.getByText(/^The account that it is about isn’t read here/)).toHaveCount(0)
})

test('a ticket is asked for within its bounds, and given back, each read back in words', async ({ page }) => {
  await mocked(page, 'halt')
  await page.goto(`/exit/${OWNER}`)
  const form = page.getByRole('group', { name: 'Ask for a ticket' })
  await form.getByRole('textbox', { name: 'Queue' }).fill('70000')
  await expect(form.getByText('At most 59,701.492537 USDC: the most that one ticket may be for.')).toBeVisible()
  await expect(form.getByRole('button', { name: 'Simulate' })).toHaveCount(0)
  await form.getByRole('button', { name: 'The most for one ticket' }).click()
  await expect(form.getByRole('region', { name: 'What would change' })).toContainText(/Queued by a new ticket.*59,701\.492537 USDC.*at the earliest/s)
  await form.getByText('Export for Squads, Realms or other tools').click()
  const asked = await form.getByLabel(/^Squads/).inputValue()
  const queue = page.getByRole('list', { name: 'Queued withdrawals' })
  await queue.getByRole('button', { name: 'Cancel' }).click()
  await expect(queue.getByText(/^Ticket 0 ends, and what it locks is free again/)).toBeVisible()
  await queue.getByText('Export for Squads, Realms or other tools').click()
  const cancelled = await queue.getByLabel(/^Squads/).inputValue()
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations).toEqual([])
  await page.goto('/changes')
  await page.getByLabel('What you were given').fill(asked)
  await expect(page.getByRole('heading', { name: 'Instruction 1: request withdrawal' })).toBeVisible()
  await expect(page.getByRole('article', { name: 'Instruction 1' })).toContainText(/Side.*lent/s)
  await page.getByLabel('What you were given').fill(cancelled)
  await expect(page.getByRole('heading', { name: 'Instruction 1: cancel withdrawal' })).toBeVisible()
})

test('past swaps are told with what they cost', async ({ page }) => {
  await mocked(page, 'halt')
  await page.goto('/reserve')
  const rows = page.getByRole('group', { name: 'Past swaps' }).getByRole('row')
  await expect(rows).toHaveCount(3)
  await expect(rows.nth(1)).toContainText(/40 min ago.*80 SOL.*11,388 USDC.*\$11,416.*\$28.*slippage 0\.24 %/s)
})

test('a form takes keys, names and numbers, each in its own way', async ({ page }) => {
  await mocked(page, 'halt')
  await page.goto('/changes')
  await page.getByLabel('What shall change').selectOption({ label: 'Roles of the guard' })
  const vetoer = page.getByRole('textbox', { name: 'Vetoer' })
  await vetoer.fill('somebody')
  await expect(page.getByText('An address: 32 to 44 characters of base58.')).toBeVisible()
  await vetoer.fill(OWNER)
  await expect(page.getByRole('region', { name: 'What would change' })).toContainText('Vetoer')
  await page.getByLabel('What shall change').selectOption(`15 ${POLICY}`)
  await page.getByRole('combobox', { name: 'Switch' }).selectOption('off')
  await expect(page.getByRole('region', { name: 'What would change' })).toContainText(/Switch.*on.*off/s)
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations).toEqual([])
})

for (const [run, look, width] of [['SOL/USDC: passed', 'light', 1360], ['Attack flash-crash', 'light', 1360], ['Hedging one asset by another', 'dark', 1360], ['Sweep', 'light', 390], ['Attack flash-crash', 'dark', 390], ['Generated markets', 'light', 390], ['Rampart lab', 'light', 1360], ['Rampart lab', 'dark', 390]] as const) {
  test(`the lab’s run “${run}” is whole and accessible, ${look}, ${width} wide`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 })
    await page.emulateMedia({ colorScheme: look, reducedMotion: 'reduce' })
    await mocked(page, 'halt')
    await page.goto('/lab')
    await page.getByRole('navigation', { name: 'Runs' }).getByRole('button', { name: run }).click()
    await expect(page.getByRole('heading', { level: 2, name: run })).toBeVisible()
    await accessible(page)
  })
}
