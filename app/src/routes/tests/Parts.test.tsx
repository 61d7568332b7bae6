import { cleanup, render, screen, within } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Timeline } from '@/features/events/components/Timeline'
import { OutPanel } from '@/features/exit/components/OutPanel'
import { Decisions } from '@/features/keepers/components/Decisions'
import { Judged } from '@/features/keepers/components/Judged'
import { Keepers } from '@/features/keepers/components/Keepers'
import { MedianHistory, medianPath } from '@/features/keepers/components/MedianHistory'
import { Medians } from '@/features/keepers/components/Medians'
import { ScoreHistory } from '@/features/keepers/components/ScoreHistory'
import { Basket } from '@/features/reserve/components/Basket'
import { Swaps } from '@/features/reserve/components/Swaps'
import { RuleGroups } from '@/features/rules/components/RuleGroups'
import { Rules } from '@/features/rules/components/Rules'
import { Limiters } from '@/features/vaults/components/Limiters'
import { Positions } from '@/features/vaults/components/Positions'
import { Unreachable } from '@/lib/failure'
import { parse } from '@/lib/parse'
import * as positions from '@/lib/positions'
import { HistoryPage } from '@/lib/schema/kept'
import { empty, keyOf } from '@/testing/accounts'
import { NO_FIELDS, NOW, sampleView } from '@/testing/sample'

vi.mock('@/lib/positions', async (original) => {
  const real = await original<typeof positions>()
  return { ...real, listed: vi.fn(real.listed) }
})

beforeEach(() => {
  vi.mocked(positions.listed).mockClear()
})
afterEach(cleanup)

const gone = new Unreachable('The keeper can’t be reached.')
const OLD = 'As of the last answer. The keeper can’t be reached.'
const view = sampleView()
const report = (id: number, reporter: string, at: number, score: number) => ({
  id, at_ms: at * 1_000, slot: 9, reporter, subject: 'Sol', observed_at_ts: at, score_bps: score, volatility_bps: 7_000, liquidity_bps: 4_000, correlation_bps: 5_500, anomaly_bps: 3_000, system_health_bps: 9_900,
})
const kept = (items: object[]) => parse(HistoryPage, { items, next: null }).items

describe('what is shown of an answer that no newer one followed', () => {
  it.each([
    ['scores', <ScoreHistory key="" rows={kept([report(1, 'a', NOW, 1)])} failure={gone} view={view} />],
    ['decisions', <Decisions key="" rows={kept([{ ...report(1, 'a', NOW, 1), class: 'trip' }])} failure={gone} view={view} nowTs={NOW} />],
    ['swaps', <Swaps key="" answer={{ past: { swaps: [], untold: 0 } }} failure={gone} view={view} nowTs={NOW} />],
    ['medians', <Medians key="" medians={[]} failure={gone} view={view} />],
    ['medians over time', <MedianHistory key="" set={empty.keeperSet()} rows={[]} failure={gone} view={view} />],
  ])('says so of %s', (_, shown) => {
    render(shown)
    expect(screen.getByText(OLD)).toBeTruthy()
  })
})

describe('a transaction in the timeline', () => {
  const MAINNET = '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d'
  const told = (genesis: string | null) => {
    const event = { id: 1, ts: NOW, slot: 5, kind: 'transaction_landed', text: 'Landed.', fields: { ...NO_FIELDS, signature: '5abcdefghijklmnop' } }
    render(<Timeline events={[event]} isOpen isTold nowTs={NOW} genesis={genesis} decisions={[]} />)
  }
  it('leads to an explorer on a public chain', () => {
    told(MAINNET)
    expect(screen.getByRole('link', { name: 'transaction 5abc…mnop' }).getAttribute('href')).toBe('https://explorer.solana.com/tx/5abcdefghijklmnop')
  })
  it('is an account under its own name where no transaction of this keeper is known', () => {
    const event = { id: 1, ts: NOW, slot: 5, kind: 'breaker_tripped', text: 'Tripped.', fields: { ...NO_FIELDS, rule: 'RuleAddress', trip_epoch: 5 } }
    render(<Timeline events={[event]} isOpen isTold nowTs={NOW} genesis={MAINNET} decisions={[]} />)
    expect(screen.getByRole('link', { name: 'account of the rule or group in the explorer' }).getAttribute('href')).toBe('https://explorer.solana.com/address/RuleAddress')
  })
  it('is only named on any other', () => {
    told('SomeOtherGenesis')
    expect(screen.queryByRole('link')).toBeNull()
    expect(screen.getByText('transaction 5abc…mnop')).toBeTruthy()
  })
})

it('shows what each class may still spend, and what is kept for trips', () => {
  render(<Keepers view={view} nowTs={NOW} hasBudgets />)
  const table = within(screen.getByRole('group', { name: 'Fees of the last hour' }))
  expect(table.getByRole('row', { name: /^liquidate/ }).textContent).toBe('liquidate0.000040.049 of 0.05')
  expect(table.getByRole('row', { name: /^trip/ }).textContent).toContain('never refused')
  expect(screen.getByText('0.01 SOL of it kept for trips')).toBeTruthy()
})

describe('what a keeper expects', () => {
  const library = { state: 'off', reason: null, hash: null, rounds: 0, decisions: 0, differing: 0, policies: [] }
  const scored = (subjects: object[]) => sampleView((raw) => Object.assign(raw.keeper, { score: { model: null, library, subjects } }))
  it('is told of each asset by name, with what isn’t known', () => {
    const said = { subject: 'Sol', score_bps: 1_520, band: 'tighten', fall_6h: 0.012, fall_24h: 0.034, value_at_risk_99: null, value_at_risk_999: null }
    render(<Judged view={scored([said])} />)
    const row = within(screen.getByRole('group', { name: 'What this keeper expects' })).getByRole('row', { name: /^SOL/ })
    expect(row.textContent).toBe('SOLtighten15.2 %1.2 %3.4 %unknownunknown')
  })
  it('is not told where nothing is scored', () => {
    const { container } = render(<Judged view={scored([])} />)
    expect(container.textContent).toBe('')
  })
})

it('shows how much of the exit floor’s reserve is used', () => {
  const [vault] = sampleView((raw) => Object.assign(raw.vaults[0]?.limits.loan.floor ?? {}, { hour_used_amount: '5000000000' })).vaults
  if (vault === undefined) throw new Error('the sample has no vault')
  render(<Limiters vault={vault} loan="USDC" collateral="SOL" />)
  const meter = screen.getByRole('meter', { name: 'Held back for the exit floor, USDC, last hour' })
  expect([meter.getAttribute('aria-valuenow'), meter.getAttribute('aria-valuetext')]).toEqual(['20', '5,000 of 25k USDC'])
})

describe('a rule that trips only in a group', () => {
  const group = (is_in_force: boolean) => ({ address: 'Group1', id: 3, level: 2, level_name: 'ReduceOnly', scope: 'Guard1', rules: ['Rule1', 'Rule9'], is_in_force })
  const grouped = (is_in_force = false) => sampleView((raw) => Object.assign(raw.rules[0] ?? {}, { standing: 'member', groups: [group(is_in_force)] }))
  it('is not shown as armed', () => {
    render(<Rules view={grouped()} nowTs={NOW} />)
    expect(screen.getByText('Only with its group')).toBeTruthy()
    expect(screen.queryByText('Armed')).toBeNull()
  })
  it('is shown with its group, the others of it and what it raises', () => {
    render(<RuleGroups view={grouped(true)} />)
    const panel = within(screen.getByRole('region', { name: 'Groups' }))
    expect(panel.getByRole('heading', { name: 'Group 3' })).toBeTruthy()
    expect([panel.getByText('In force'), panel.getByText('the guard'), panel.getByText('SOL drawdown'), panel.getByText('not known')].every(Boolean)).toBe(true)
  })
})

it('says that a basket is held, not what it would be led to', () => {
  const slice = { asset: 'Sol', symbol: 'SOL', decimals: 9, amount: 1n, microUsd: 1n, shareBps: 10_000, targetBps: null, covered: 0n, isQuote: false }
  render(<Basket slices={[slice]} goal={{ level: 1, scoreBps: null, state: 'held', scored: 'SOL' }} minimum={100} />)
  expect(screen.getByText('Held: without a median score of SOL the basket keeps its weights.')).toBeTruthy()
})

it('says when claims of a Resolution open, and what isn’t counted', () => {
  const out = { held: 5n, queued: 0n, now: 0n, bounds: [{ name: 'claims are not open yet', amount: 0n }], uncounted: ['this', 'that'], claims: { openTs: NOW + 60, forcedTs: NOW + 7_200 } }
  render(<OutPanel title="Lent" out={out} nowTs={NOW} decimals={0} symbol="USDC" />)
  expect([screen.getByText('1:00'), screen.getByText('2:00:00'), screen.getByText('Not counted: this; that.')].every(Boolean)).toBe(true)
})

it('sorts positions anew for a new price, and not for each state', () => {
  const rows = [{ address: 'p', vault: 'Vault1', owner: keyOf(5) as string, shares: 0n, debtScaled: 5n, collateral: 9n }]
  const answer = { rows }
  const shown = (change: (raw: NonNullable<Parameters<NonNullable<Parameters<typeof sampleView>[0]>>[0]>) => void, index: bigint) => {
    const [vault] = sampleView(change).vaults
    if (vault === undefined) throw new Error('the sample has no vault')
    return <Positions vault={vault} index={index} answer={answer} failure={null} loan="USDC" collateral="SOL" />
  }
  const calm = () => undefined
  const { rerender } = render(shown(calm, (1n << 64n) + 5n))
  const first = vi.mocked(positions.listed).mock.calls.length
  // a new state with an index that a second's interest moved on
  rerender(shown(calm, (1n << 64n) + 900n))
  expect(vi.mocked(positions.listed).mock.calls.length).toBe(first)
  rerender(shown((raw) => Object.assign(raw.vaults[0]?.price ?? {}, { hi: '149' }), (1n << 64n) + 900n))
  expect(vi.mocked(positions.listed).mock.calls.length).toBe(first + 1)
})

it('breaks the line of a median where there was none', () => {
  const past = [6_000, null, 3_000, 0].map((scoreBps, at) => ({ ts: at * 10, parts: { scoreBps, volatilityBps: 0, liquidityBps: 0, correlationBps: 0, anomalyBps: 0, systemHealthBps: 0 } }))
  expect(medianPath(past, 'scoreBps')).toBe('M0.0,48.0M400.0,84.0L600.0,120.0')
})
