import { AccountRole, type Instruction } from '@solana/kit'
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { signAndSend, simulate } from '@/features/act/api/transact'
import { Act } from '@/features/act/components/Act'
import { keyOf } from '@/testing/accounts'

vi.mock('@/features/act/api/transact', () => ({ simulate: vi.fn(), signAndSend: vi.fn() }))
const account = { address: keyOf(9) as string }
vi.mock('@/features/act/api/useWallets', () => ({ useWallets: () => [{ name: 'W', connect: () => Promise.resolve([account]), sign: null, signAndSend: null }] }))

const authority = keyOf(9)
/** An instruction that names a sample of positions and carries a byte. */
const made = (positions: readonly number[], byte = 1, role = AccountRole.READONLY): Instruction => ({
  programAddress: keyOf(1),
  accounts: positions.map((position) => ({ address: keyOf(position), role })),
  data: Uint8Array.from([byte]),
})
const shown = (instruction: Instruction) => <Act what="Execute" instructions={[instruction]} authority={authority} contextOf={() => ({})} />
const press = (name: string) =>
  act(async () => {
    fireEvent.click(screen.getByRole('button', { name }))
    await Promise.resolve()
  })
const later = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))
const sign = () => screen.queryByRole<HTMLButtonElement>('button', { name: 'Sign with W and send' })
const note = () => document.querySelector('.take-along > p')?.textContent

beforeEach(() => {
  vi.useFakeTimers()
  vi.mocked(simulate).mockReset().mockResolvedValue({ failure: null, effects: [], units: 1_234 })
  vi.mocked(signAndSend).mockReset().mockResolvedValue({ signature: 'S', failure: null })
})
afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

async function connected(instruction: Instruction) {
  const page = render(shown(instruction))
  await press('Simulate')
  await press('Connect W')
  return page
}

it('offers a signature for what was simulated just now, and signs just that', async () => {
  const instruction = made([2, 3])
  await connected(instruction)
  expect(screen.getByRole('status').textContent).toContain('It would pass now, with 1,234 compute units.')
  await press('Sign with W and send')
  expect(vi.mocked(signAndSend).mock.calls.map(([signed]) => signed)).toEqual([[instruction]])
})

describe('what is to be done moves on', () => {
  it.each<[string, Instruction]>([
    ['another sample', made([2, 4])],
    ['another order', made([3, 2])],
    ['another use of an account', made([2, 3], 1, AccountRole.WRITABLE)],
    ['other data', made([2, 3], 2)],
  ])('%s isn’t signed on the strength of the first', async (_, other) => {
    const page = await connected(made([2, 3]))
    page.rerender(shown(other))
    expect(screen.getByRole('status').textContent).toBe('What is to be done has changed since it was simulated. Simulate it again.')
    expect(sign()).toBeNull()
    expect(note()).toBe('Not simulated: it has changed since, and what you take along is the newer one. Simulate it again.')
    await press('Simulate again')
    expect(vi.mocked(simulate).mock.lastCall?.[0]).toEqual([other])
    await press('Sign with W and send')
    expect(vi.mocked(signAndSend).mock.calls.map(([signed]) => signed)).toEqual([[other]])
  })
  it('another payer neither', async () => {
    const page = await connected(made([2]))
    page.rerender(<Act what="Execute" instructions={[made([2])]} authority={keyOf(8)} contextOf={() => ({})} />)
    expect(screen.getByRole('status').textContent).toContain('has changed since')
  })
  it('the same, built anew, is still the same', async () => {
    const page = await connected(made([2, 3]))
    page.rerender(shown(made([2, 3])))
    expect(sign()?.disabled).toBe(false)
  })
  it('a signature that is being asked for stays on the page', async () => {
    vi.mocked(signAndSend).mockReturnValue(new Promise(() => undefined))
    const page = await connected(made([2, 3]))
    await press('Sign with W and send')
    page.rerender(shown(made([2, 4])))
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Waiting for the network' }).disabled).toBe(true)
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Simulate again' }).disabled).toBe(true)
  })
  it('an answer about the first says nothing of the second', async () => {
    let answer: (simulated: Awaited<ReturnType<typeof simulate>>) => void = () => undefined
    vi.mocked(simulate).mockReturnValue(new Promise((resolve) => (answer = resolve)))
    const page = render(shown(made([2])))
    await press('Simulate')
    page.rerender(shown(made([3])))
    await act(async () => {
      answer({ failure: null, effects: [], units: 1 })
      await Promise.resolve()
    })
    expect(screen.queryByText(/It would pass now/)).toBeNull()
    expect(screen.queryByRole('button', { name: 'Connect W' })).toBeNull()
  })
})

describe('a simulation', () => {
  it('is old after a minute, and has to be made again before a signature', async () => {
    await connected(made([2]))
    await later(59_000)
    expect(screen.getByRole('status').textContent).toContain('It would pass now')
    await later(1_000)
    expect(screen.getByRole('status').textContent).toContain('It would have passed more than a minute ago. Simulate it again before you sign.')
    expect(screen.queryByText(/It would pass now/)).toBeNull()
    expect(sign()?.disabled).toBe(true)
    expect(note()).toBe('Its simulation of more than a minute ago passed. Simulate it again, here or where you sign it.')
    await press('Simulate again')
    expect(sign()?.disabled).toBe(false)
    await later(59_000)
    expect(screen.getByRole('status').textContent).toContain('It would pass now')
  })
  it('is old at the press, where the timer of a computer that slept is late', async () => {
    await connected(made([2]))
    vi.setSystemTime(Date.now() + 3_600_000)
    await press('Sign with W and send')
    expect(signAndSend).not.toHaveBeenCalled()
    expect(sign()?.disabled).toBe(true)
  })
  it('that fails says so, and says so when it is old', async () => {
    vi.mocked(simulate).mockResolvedValue({ failure: 'Change has not waited for its delay', effects: [], units: 0 })
    render(shown(made([2])))
    await press('Simulate')
    expect(screen.getByRole('alert').textContent).toContain('It would fail: Change has not waited for its delay.')
    expect(note()).toBe('Its simulation failed: Change has not waited for its delay. What you take along fails, too, unless that is over when it is signed.')
    await later(60_000)
    expect(screen.getByRole('alert').textContent).toContain('It would have failed more than a minute ago: Change has not waited for its delay. Simulate it again.')
  })
  it('that can’t be made says why', async () => {
    vi.mocked(simulate).mockRejectedValue(new Error('The RPC endpoint can’t be reached.'))
    render(shown(made([2])))
    await press('Simulate')
    expect(screen.getByRole('alert').textContent).toBe('The RPC endpoint can’t be reached.')
    expect(note()).toBe('Not simulated: the simulation couldn’t be made. Simulate it where you sign it.')
  })
})

it('exports without a simulation, with a warning', () => {
  render(shown(made([2])))
  expect(note()).toBe('Not simulated: nobody has tried what you take along. Simulate it here first, or where you sign it.')
  expect(document.querySelector('.take-along > p')?.className).toBe('warn')
  expect(screen.getByLabelText<HTMLTextAreaElement>(/^Realms/).value).not.toBe('')
})
