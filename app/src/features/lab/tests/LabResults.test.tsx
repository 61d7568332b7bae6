import { cleanup, fireEvent, render, screen, within } from '@testing-library/react'
import { afterEach, expect, it, vi } from 'vitest'
import { useLab } from '@/features/lab/api/useLab'
import { LabResults } from '@/features/lab/components/LabResults'
import backtest from '@/testing/lab/backtest.json?raw'
import hedge from '@/testing/lab/hedge.json?raw'
import validate from '@/testing/lab/validate.json?raw'

/** Serves files of the lab beside the app; all else is the page itself, as hosts of single pages answer. */
function serving(files: Record<string, string>) {
  vi.stubGlobal('fetch', (path: string) => {
    const text = files[path.replace('/lab/', '')]
    const page = new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } })
    return Promise.resolve(text === undefined ? page : new Response(text, { headers: { 'content-type': 'application/json' } }))
  })
}
const Shown = () => <LabResults {...useLab()} />
const heading = (name: string | RegExp) => screen.findByRole('heading', { level: 2, name })
const runs = () => within(screen.getByRole('navigation', { name: 'Runs' })).getAllByRole('button').map(({ textContent }) => textContent)
afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

it('lists every result that is served, and shows the one that is chosen', async () => {
  serving({ 'index.json': '{"results":["validate.json","hedge.json"]}', 'validate.json': validate, 'hedge.json': hedge })
  render(<Shown />)
  await heading('SOL/USDC: passed')
  expect(runs()).toEqual(['SOL/USDC: passedvalidate, validate.json', 'Hedging one asset by anotherhedge, hedge.json'])
  fireEvent.click(screen.getByRole('button', { name: /^Hedging/ }))
  await heading('Hedging one asset by another')
  expect(screen.queryByRole('heading', { name: 'SOL/USDC: passed' })).toBeNull()
  expect(screen.getByRole('list', { name: /^Part of the variance/ })).toBeTruthy()
})

it('shows the one backtest of a keeper, which has no list', async () => {
  serving({ 'backtest.json': backtest })
  render(<Shown />)
  await heading(/^Generated markets/)
  expect(screen.queryByRole('navigation', { name: 'Runs' })).toBeNull()
  expect(screen.queryByRole('alert')).toBeNull()
})

it('says how to make results where there are none', async () => {
  serving({})
  render(<Shown />)
  await heading('No results are served here')
  expect(await screen.findByText(/rampart lab validate deploy\/guards\/sol.toml --out validate.json/)).toBeTruthy()
  expect(screen.queryByRole('alert')).toBeNull()
})

it('names what is listed and isn’t there, and what can’t be read, beside the rest', async () => {
  serving({ 'index.json': '{"results":["gone.json","bad.json","validate.json"]}', 'bad.json': '{"cases":1}', 'validate.json': validate })
  render(<Shown />)
  await heading('SOL/USDC: passed')
  const alerts = screen.getAllByRole('alert').map(({ textContent }) => textContent)
  expect(alerts[0]).toBe('/lab/gone.json is in the list, and isn’t there.')
  expect(alerts[1]).toMatch(/^\/lab\/bad\.json: The lab's answer can't be read at /)
})

it.each(['{"results":["../secret.json"]}', '{"results":"x"}', 'no json'])('refuses the list %s', async (list) => {
  serving({ 'index.json': list })
  render(<Shown />)
  expect((await screen.findByRole('alert')).textContent).toMatch(/^lab\/index\.json/)
})

it('shows files that are chosen or dropped, several at once, and refuses what is none', async () => {
  serving({})
  render(<Shown />)
  const input = await screen.findByLabelText('Show files: choose them, or drop them here')
  const file = (text: string, name: string) => new File([text], name, { type: 'application/json' })
  fireEvent.change(input, { target: { files: [file(validate, 'mine.json'), file('x', 'not.json')] } })
  await heading('SOL/USDC: passed')
  expect((await screen.findByRole('alert')).textContent).toMatch(/^not\.json: The lab's answer can't be read at /)
  const box = input.closest('.lab-how')
  if (box === null) throw new Error('nothing to drop on')
  fireEvent.drop(box, { dataTransfer: { files: [file(hedge, 'h.json'), file(backtest, 'b.json')] } })
  await vi.waitFor(() => {
    expect(runs().length).toBe(3)
  })
  expect(screen.queryByRole('alert')).toBeNull()
})

it('draws an interval around its mean, and nothing between both ends of what isn’t sure', async () => {
  const outcome = (name: string, mean: number, low: number, high: number) => ({ ...(JSON.parse(backtest) as { outcomes: object[] }).outcomes[0], name, gain: { mean, low, high } })
  const made = { title: 'One crash', reference: 'fixed', seed: 7, outcomes: [outcome('fixed', 0, 0, 0), outcome('rules', 3.25, 1.5, 5), outcome('pool', -0.5, -2, 1)], tried: [] }
  serving({ 'backtest.json': JSON.stringify(made) })
  render(<Shown />)
  const gains = within(await screen.findByRole('list', { name: /^Bad debt less than fixed/ })).getAllByRole('img')
  expect(gains.map((gain) => gain.getAttribute('aria-label'))).toEqual(['rules: 3.25, between 1.50 and 5.00', 'pool: −0.50, between −2.00 and 1.00'])
  const x = (gain: Element | undefined, line: string, end: string) => Number(gain?.querySelector(line)?.getAttribute(end))
  const [rules, pool] = gains
  expect(x(rules, '.gain-interval', 'x1')).toBeLessThan(x(rules, '.gain-mean', 'x1'))
  expect(x(rules, '.gain-mean', 'x1')).toBeLessThan(x(rules, '.gain-interval', 'x2'))
  expect(x(rules, '.gain-zero', 'x1')).toBeLessThan(x(rules, '.gain-interval', 'x1'))
  expect(x(pool, '.gain-interval', 'x1')).toBeLessThan(x(pool, '.gain-zero', 'x1'))
  expect(x(pool, '.gain-zero', 'x1')).toBeLessThan(x(pool, '.gain-interval', 'x2'))
})

it('shows a report of several results as the tables of each, with what was missed marked', async () => {
  const targets = { title: 'Against the targets', kind: 'targets', notes: [], tables: [{ caption: 'Aimed at, and what came', head: ['measure', 'came', ''], rows: [['AUC', '0.78', 'missed'], ['Brier', '0.09', 'kept']] }] }
  const probe = { title: 'Single defences', kind: 'probe', notes: ['Four hours without a keeper'], tables: [] }
  serving({ 'index.json': '{"results":["report.json"]}', 'report.json': JSON.stringify({ title: 'Rampart lab', sections: [probe, targets] }) })
  render(<Shown />)
  await heading('Rampart lab')
  expect(screen.getByText('Single defences: Four hours without a keeper')).toBeTruthy()
  const table = screen.getByRole('group', { name: 'Against the targets: Aimed at, and what came' })
  const marked = within(table).getAllByRole('row').map((row) => [row.textContent, row.dataset.missed])
  expect(marked).toEqual([['measurecame', undefined], ['AUC0.78missed', 'true'], ['Brier0.09kept', 'false']])
})
