import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Live } from '@/features/live/api/useLive'
import { useAccounts } from '@/features/live/api/useAccounts'
import { BadStatus } from '@/lib/failure'
import { ChangesPage } from '@/routes/ChangesPage'
import { empty, keyOf } from '@/testing/accounts'
import { NOW, sampleView } from '@/testing/sample'

vi.mock('@/features/live/api/useAccounts', () => ({ useAccounts: vi.fn(), useRows: () => ({ value: null, failure: null }) }))

/** Answers with one guard, and fails for some kinds after their first answer. */
function answered(failing: readonly string[]): void {
  const held: Record<string, unknown[]> = { guard: [{ address: keyOf(1), value: empty.guard() }] }
  vi.mocked(useAccounts).mockImplementation(({ name }) => ({ value: (held[name] ?? []) as never, failure: failing.includes(name) ? new BadStatus(500) : null }))
}
const shown = () => render(<ChangesPage item={null} live={{ nowTs: NOW } as Live} view={sampleView()} />)
const notices = () => screen.queryAllByText('As of the last answer. The keeper answered with status 500.')

beforeEach(() => {
  vi.mocked(useAccounts).mockReset()
})
afterEach(cleanup)

it('says nothing while all is read', () => {
  answered([])
  shown()
  expect(notices()).toEqual([])
})

it.each(['guard', 'vault', 'rule', 'asset', 'swap_policy', 'reserve', 'aggregate_limit', 'integration'])('says in the queue, in the form and at the pauses that values are old once `%s` can’t be read', (kind) => {
  answered([kind])
  shown()
  // a pause is of the accounts that have a level of their own
  const isPaused = ['guard', 'vault', 'asset', 'integration'].includes(kind)
  expect(notices().length).toBe(isPaused ? 3 : 2)
})

it('says it in the queue alone where the changes can’t be read', () => {
  answered(['pending_change'])
  shown()
  expect(notices().length).toBe(1)
})
