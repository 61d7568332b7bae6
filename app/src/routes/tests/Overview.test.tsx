import { cleanup, fireEvent, render, screen, within } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Live } from '@/features/live/api/useLive'
import type { Health, Link } from '@/lib/connection'
import { NO_LINK } from '@/lib/connection'
import { BadShape, Unreachable } from '@/lib/failure'
import type { View } from '@/lib/schema/view'
import { Page } from '@/routes/Page'
import { NO_FIELDS, NOW, intoHalt, intoIndeterminate, sampleView } from '@/testing/sample'

// A canvas draws nothing here; what the chart shows is tested through its table.
vi.mock('uplot', () => ({ default: class { setData() {} setSize() {} destroy() {} } }))

const samples = [{ ts: NOW, price: '150.25', reference: '151', lo: '150', hi: '150.5' }]

function live(view: View | null, health: Health, failure: Link['failure'] = null): Live {
  const link = view === null ? { ...NO_LINK, failure } : { view, receivedMs: 0, advancedMs: 0, failure }
  const event = { id: 1, ts: NOW - 30, slot: 3_990, kind: 'breaker_tripped', text: 'SOL drawdown raised SOL to Halt.', fields: NO_FIELDS }
  return { link, health, nowTs: NOW, hostTs: NOW, series: { Sol: samples }, timeline: { events: [event], isOpen: true } }
}

const row = (table: HTMLElement, name: RegExp) => within(within(table).getByRole('row', { name }))

beforeEach(() => {
  vi.stubGlobal('ResizeObserver', class { observe() {} disconnect() {} })
})
afterEach(cleanup)

describe('before the first state', () => {
  it('says that it is loading', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(null, 'loading')} />)
    expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('Reading the keeper’s state')
  })
  it('says that the keeper cannot be reached', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(null, 'disconnected', new Unreachable('gone'))} />)
    expect(screen.getByRole('alert').textContent).toContain('The keeper can’t be reached')
  })
  it('says what of the answer cannot be read', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(null, 'error', new BadShape('vaults.0.level'))} />)
    expect(screen.getByRole('alert').textContent).toContain('vaults.0.level')
  })
})

describe('live', () => {
  it('says the state, and shows no warning', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(sampleView(), 'live')} />)
    expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('SOL / USDC is open')
    expect(screen.queryByRole('alert')).toBeNull()
    expect(screen.getByText('Nothing is pending. A level rises when a rule proves true.')).toBeTruthy()
  })
  it('says in a halt what is possible, why, and what comes next', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(sampleView(intoHalt), 'live')} />)
    expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('SOL / USDC is halted')
    const possible = screen.getByRole('group', { name: 'Actions by vault' })
    expect(row(possible, /^Borrow/).getByText('Blocked')).toBeTruthy()
    expect(row(possible, /^Withdraw/).getByText('Floor only')).toBeTruthy()
    expect(row(possible, /^Repay/).getByText('Open')).toBeTruthy()
    const next = within(screen.getByRole('region', { name: 'Next' }))
    expect(next.getByText('Halt may step down to Reduce only')).toBeTruthy()
    expect(next.getByText('9:00')).toBeTruthy()
    expect(next.getByText('29:00')).toBeTruthy()
  })
  it('names levels in words, not by colour alone', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(sampleView(intoHalt), 'live')} />)
    const tiles = within(screen.getByRole('region', { name: 'Levels' }))
    const [guard, vault] = tiles.getAllByRole('heading').map((heading) => heading.parentElement?.textContent)
    expect(guard).toContain('Normal')
    expect(vault).toContain('Halt')
  })
  it('gives limits as meters with their amounts', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(sampleView(), 'live')} />)
    const meter = screen.getByRole('meter', { name: 'Lenders’ exits, last hour' })
    expect(meter.getAttribute('aria-valuenow')).toBe('90')
    expect(meter.getAttribute('aria-valuetext')).toBe('450k of 500k USDC')
  })
  it('shows a chart as a table on request', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(sampleView(), 'live')} />)
    const asset = within(screen.getByRole('article', { name: 'SOL' }))
    fireEvent.click(asset.getByRole('button', { name: 'Show table' }))
    expect(asset.getByRole('row', { name: /\$150\.25 \$151\.00 \$150\.00 \$150\.50/ })).toBeTruthy()
  })
  it('filters the timeline', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(sampleView(), 'live')} />)
    const timeline = within(screen.getByRole('region', { name: 'Timeline' }))
    expect(timeline.getByText('SOL drawdown raised SOL to Halt.')).toBeTruthy()
    fireEvent.click(timeline.getByRole('button', { name: 'Transactions' }))
    expect(timeline.queryByText('SOL drawdown raised SOL to Halt.')).toBeNull()
  })
  it('shows a peer that is down', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(sampleView(), 'live')} />)
    const keepers = screen.getByRole('group', { name: 'Keepers' })
    expect(row(keepers, /^keeper-b/).getByText('Down')).toBeTruthy()
    expect(row(keepers, /^keeper-a/).getByText('Ready')).toBeTruthy()
  })
})

describe('in doubt', () => {
  it('keeps the last state on screen when it is stale, and says so', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(sampleView(), 'stale')} />)
    expect(screen.getByText('No update for more than 5 seconds.')).toBeTruthy()
    expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('SOL / USDC is open')
  })
  it('keeps the last state on screen when the keeper is gone, and says so', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(sampleView(), 'disconnected', new Unreachable('gone'))} />)
    expect(screen.getByRole('alert').textContent).toContain('as of')
    expect(screen.getByText('Disconnected')).toBeTruthy()
  })
  it('never shows an indeterminate price as fine', () => {
    render(<Page route={{ page: 'overview', item: null }} live={live(sampleView(intoIndeterminate), 'live')} />)
    expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('No agreed price for SOL')
    const possible = screen.getByRole('group', { name: 'Actions by vault' })
    expect(row(possible, /^Borrow/).getByText('Not now')).toBeTruthy()
    expect(row(possible, /^Withdraw/).getByText('Open')).toBeTruthy()
    const asset = within(screen.getByRole('article', { name: 'SOL' }))
    expect(asset.getByText('No agreed price')).toBeTruthy()
  })
  it('says why the keeper is not ready', () => {
    const change = { ready: false, not_ready_reasons: ['blockhash_is_old'] }
    render(<Page route={{ page: 'overview', item: null }} live={live(sampleView((raw) => Object.assign(raw.keeper, change)), 'live')} />)
    expect(screen.getByText(/blockhash is old/)).toBeTruthy()
  })
})
