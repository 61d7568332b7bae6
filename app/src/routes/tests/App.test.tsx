import { act, cleanup, configure, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { App } from '@/routes/App'
import { NOW, rawView } from '@/testing/sample'

vi.mock('uplot', () => ({ default: class { setData() {} setSize() {} destroy() {} } }))

configure({ asyncUtilTimeout: 30_000 })

/** The stream that the page opened last; a test speaks through it. */
let stream: FakeStream | undefined

class FakeStream extends EventTarget {
  static readonly CLOSED = 2
  readonly readyState = 1
  onopen: (() => void) | null = null
  onerror: (() => void) | null = null
  constructor(readonly url: string) {
    super()
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the test needs the instance that the page made
    stream = this
  }
  close() {}
}

function answer(state: () => Promise<Response>): void {
  const history = { samples: [] }
  vi.stubGlobal('fetch', (url: string) => (url.endsWith('/state') ? state() : Promise.resolve(Response.json(history))))
}

beforeEach(() => {
  stream = undefined
  vi.stubGlobal('EventSource', FakeStream)
  vi.stubGlobal('ResizeObserver', class { observe() {} disconnect() {} })
})
afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

it('shows the state that the keeper sends', async () => {
  answer(() => Promise.resolve(Response.json(rawView())))
  render(<App />)
  expect((await screen.findByText('SOL / USDC is open')).tagName).toBe('H1')
  expect(screen.getByText('Live')).toBeTruthy()
})

it('says that the keeper is gone when the request fails', async () => {
  answer(() => Promise.reject(new TypeError('refused')))
  render(<App />)
  expect(await screen.findByText('Disconnected')).toBeTruthy()
})

it('refuses a state that it cannot read', async () => {
  answer(() => Promise.resolve(Response.json({ ...rawView(), schema: 2 })))
  render(<App />)
  expect((await screen.findByRole('alert')).textContent).toContain('schema')
})

it('shows events as they come and passes over a broken one', async () => {
  answer(() => Promise.resolve(Response.json(rawView())))
  render(<App />)
  await screen.findByText('Nothing has happened yet.')
  const event = { id: 1, ts: NOW, slot: 4_000, kind: 'source_down', text: 'Source primary is silent.', fields: {} }
  act(() => {
    stream?.dispatchEvent(new MessageEvent('source_down', { data: '{' }))
    stream?.dispatchEvent(new MessageEvent('source_down', { data: JSON.stringify(event) }))
  })
  expect(screen.getByText('Source primary is silent.')).toBeTruthy()
})
