import { createHash } from 'node:crypto'
import { type Browser, type Page, expect, test } from '@playwright/test'
import type { KeyPairSigner } from '@solana/kit'
import { isWhole, shot } from './check'
import { type Demo, type Served, buildApp, serve, startDemo } from './harness'
import { realmsInstructionOf, squadsMessageOf } from '../plain'
import { type People, peopleOf } from './keys'
import { funded, withWallet } from './wallet'

// Acts on a demo's chain, each simulated first and signed by a wallet: the demo stays after its story.

const PROGRAM = 'HiDN1cZjY1y3GCUFJfsaQae162WdXHXZ7Pkv9UWBjh4s'

let demo: Demo
let served: Served
let people: People

test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  test.setTimeout(900_000)
  people = await peopleOf()
  demo = await startDemo(['--speed', '20'])
  served = await serve(await buildApp({ VITE_RAMPART_RPC: demo.rpc }), { keeper: () => demo.keeper, rpc: demo.rpc })
  for (const { address } of [people.root, people.vetoer, people.lender]) await funded(demo.rpc, address)
})
test.afterAll(async () => {
  served.stop()
  await demo.stop()
})

async function pageOf(browser: Browser, path: string, signer: KeyPairSigner): Promise<Page> {
  const page = await (await browser.newContext({ reducedMotion: 'reduce', viewport: { width: 1360, height: 900 } })).newPage()
  await withWallet(page, signer, 'Test wallet')
  await page.goto(`${served.url}${path}`)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expect(page.getByText(/^Reading /)).toHaveCount(0)
  return page
}

const NAME = 'Caps and outflow limits of SOL/USDC'
const queued = (page: Page) => page.getByRole('article', { name: NAME })

async function proposed(page: Page): Promise<void> {
  await page.getByLabel('What shall change').selectOption({ label: NAME })
  await page.getByLabel('Supply cap', { exact: true }).fill('60,000,000')
}

test('a change is read back in words, simulated with its effect, signed by root, and waits in the queue', async ({ browser }) => {
  const page = await pageOf(browser, '/changes', people.root)
  await proposed(page)
  const diff = page.getByRole('region', { name: 'What would change' })
  await expect(diff).toContainText('50,000,000 USDC')
  await expect(diff).toContainText('60,000,000 USDC')
  await expect(page.getByRole('button', { name: /Connect/ })).toHaveCount(0)
  await page.getByRole('button', { name: 'Simulate' }).click()
  const created = page.getByRole('region', { name: /^Effect on Pending change/ })
  await expect(created).toContainText('Pending change is created')
  await expect(page.getByRole('region', { name: /^Effect on Guard/ }).getByRole('row', { name: /^Next change id \d+ \d+$/ })).toBeVisible()
  await shot(page, 'act-propose')
  await isWhole(page)
  await page.getByRole('button', { name: 'Connect Test wallet' }).click()
  await page.getByRole('button', { name: 'Sign with Test wallet and send' }).click()
  await expect(page.getByText('Proposal: it landed.')).toBeVisible({ timeout: 60_000 })
  await expect(queued(page)).toContainText('60,000,000 USDC', { timeout: 30_000 })
  await expect(queued(page)).toContainText('Waiting')
  await shot(page, 'act-queued')
  await page.context().close()
})

test('bounds are held before anything is simulated', async ({ browser }) => {
  const page = await pageOf(browser, '/changes', people.root)
  await page.getByLabel('What shall change').selectOption({ label: NAME })
  await page.getByLabel('Exit floor', { exact: true }).fill('5')
  await expect(page.getByText(/^From .* to .* %: how far one change may move it\.$/)).toBeVisible()
  await expect(page.getByRole('button', { name: 'Simulate' })).toHaveCount(0)
  await page.context().close()
})

test('who doesn’t hold the role is told so by the simulation, and a wallet without the account can’t sign', async ({ browser }) => {
  const page = await pageOf(browser, '/changes', people.lender)
  await queued(page).getByRole('button', { name: 'Veto' }).click()
  await queued(page).getByRole('button', { name: 'Simulate' }).click()
  // the vetoer's act passes, but this wallet isn't the vetoer's
  await queued(page).getByRole('button', { name: 'Connect Test wallet' }).click()
  await expect(queued(page).getByRole('alert')).toContainText('has no account')
  await queued(page).getByRole('button', { name: 'Execute' }).click()
  await expect(queued(page)).toContainText('It isn’t ripe yet.')
  await page.context().close()
})

test('what is exported for Squads and Realms says the same to a decoder that isn’t the app’s', async ({ browser }) => {
  const page = await pageOf(browser, '/changes', people.vetoer)
  const change = (await queued(page).locator('header .address').getAttribute('title')) ?? ''
  await queued(page).getByRole('button', { name: 'Veto' }).click()
  await queued(page).getByText('Export for Squads').click()
  const text = await queued(page).getByLabel(/^Squads/).inputValue()
  const message = squadsMessageOf(text)
  const [instruction, ...others] = message.instructions
  expect(others).toEqual([])
  expect([message.payer, message.signers]).toEqual([people.vetoer.address, [people.vetoer.address]])
  const discriminator = createHash('sha256').update('global:veto_change').digest().subarray(0, 8)
  const realms = realmsInstructionOf(await queued(page).getByLabel(/^Realms/).inputValue())
  for (const { program, accounts, data } of [instruction!, realms]) {
    expect([program, data]).toEqual([PROGRAM, [...discriminator]])
    expect(accounts.slice(0, 4).map(({ pubkey }) => pubkey)).toEqual([people.vetoer.address, demo.guard, change, people.root.address])
    expect(accounts.filter(({ isSigner }) => isSigner).map(({ pubkey }) => pubkey)).toEqual([people.vetoer.address])
  }
  await page.context().close()
})

test('a veto closes the change, as its simulation said', async ({ browser }) => {
  const page = await pageOf(browser, '/changes', people.vetoer)
  await queued(page).getByRole('button', { name: 'Veto' }).click()
  await queued(page).getByRole('button', { name: 'Simulate' }).click()
  await expect(queued(page).getByText(/Pending change is closed/)).toBeVisible()
  await shot(page, 'act-veto')
  await isWhole(page)
  await queued(page).getByRole('button', { name: 'Connect Test wallet' }).click()
  await queued(page).getByRole('button', { name: 'Sign with Test wallet and send' }).click()
  await expect(page.getByText('Veto: it landed.')).toBeVisible({ timeout: 60_000 })
  await expect(queued(page)).toHaveCount(0, { timeout: 60_000 })
  await expect(page.getByText('Nothing is pending: no loosening was proposed.')).toBeVisible()
  await page.context().close()
})

test('a lender leaves through the exit floor while exits are restricted', async ({ browser }) => {
  const page = await pageOf(browser, `/exit/${people.lender.address}`, people.lender)
  const position = page.getByRole('article', { name: 'SOL/USDC' })
  await expect(position.getByText('Reduce only').first()).toBeVisible({ timeout: 120_000 })
  const lent = position.getByRole('region', { name: 'Lent' })
  await expect(lent.getByRole('listitem').first()).toContainText('left of today’s exit floor')
  await position.getByRole('button', { name: 'All that may leave now' }).click()
  await position.getByRole('button', { name: 'Simulate' }).click()
  await expect(position.getByRole('region', { name: /^Effect on Position/ })).toContainText('Supply floor, used')
  await expect(position.getByRole('region', { name: /^Effect on Token account/ }).first()).toContainText('Balance')
  await shot(page, 'act-exit')
  await isWhole(page)
  await position.getByRole('button', { name: 'Connect Test wallet' }).click()
  await position.getByRole('button', { name: 'Sign with Test wallet and send' }).click()
  await expect(page.getByText('Withdrawal: it landed.')).toBeVisible({ timeout: 60_000 })
  await expect(lent.locator('.out-now strong')).toHaveText(/^(0|<0\.0001|0\.\d+) USDC$/, { timeout: 60_000 })
  await page.context().close()
})

const LINES = 'Lines and bonuses of SOL/USDC'

/** Lets the demo's chain jump ahead, as it does itself between its set-up and its story. */
async function jumpTo(unixTs: number): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'surfnet_timeTravel', params: [{ absoluteTimestamp: unixTs * 1_000 }] })
  const answer = await fetch(demo.rpc, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  expect(await answer.json()).not.toHaveProperty('error')
}

// Last, as the demo's keepers rightly take a jump of the clock for a stall.
test('a change of lines is executed with the live prices and the sample of positions that it needs', async ({ browser }) => {
  const page = await pageOf(browser, '/changes', people.root)
  await page.getByLabel('What shall change').selectOption({ label: LINES })
  await page.getByLabel('LTV', { exact: true }).fill('74')
  // it only gets stricter and might hold at once
  await page.getByRole('group', { name: 'How it is done' }).getByRole('button', { name: 'Propose', exact: true }).click()
  await page.getByRole('button', { name: 'Simulate' }).click()
  await page.getByRole('button', { name: 'Connect Test wallet' }).click()
  await page.getByRole('button', { name: 'Sign with Test wallet and send' }).click()
  const change = page.getByRole('article', { name: LINES })
  await expect(change).toContainText('75 %', { timeout: 60_000 })
  await expect(change).toContainText('74 %')
  const state = (await (await fetch(`${demo.keeper}/api/v1/state`)).json()) as { chain: { unix_ts: number } }
  await jumpTo(state.chain.unix_ts + 2 * 86_400 + 600)
  await expect(change).toContainText('May be executed', { timeout: 60_000 })
  await change.getByRole('button', { name: 'Execute' }).click()
  await change.getByLabel(/^Who pays/).fill(people.root.address)
  await expect(async () => {
    await change.getByRole('button', { name: 'Simulate' }).click()
    await expect(change.getByRole('region', { name: /^Effect on Vault/ }).getByRole('row', { name: /LTV 75 % 74 %/ })).toBeVisible({ timeout: 5_000 })
  }).toPass({ timeout: 60_000 })
  await shot(page, 'act-execute')
  await change.getByRole('button', { name: 'Connect Test wallet' }).click()
  await change.getByRole('button', { name: 'Sign with Test wallet and send' }).click()
  await expect(page.getByText('Execute: it landed.')).toBeVisible({ timeout: 60_000 })
  await page.context().close()
})

test('every position of a vault is listed, searchable, and drawn only where it is seen', async ({ browser }) => {
  const page = await pageOf(browser, '/vaults', people.lender)
  const table = page.getByRole('table', { name: /^Positions with debt/ })
  const count = Number(await table.getAttribute('aria-rowcount')) - 1
  expect(count).toBeGreaterThan(50)
  expect(await table.getByRole('row').count()).toBeLessThan(40)
  const owner = (await table.getByRole('row').nth(1).locator('.address').getAttribute('title')) ?? ''
  await page.getByLabel('Search by owner or position').fill(owner)
  await expect(table).toHaveAttribute('aria-rowcount', '2')
  await shot(page, 'act-positions')
  await isWhole(page)
  await page.context().close()
})
