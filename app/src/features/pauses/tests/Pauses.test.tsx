import { cleanup, fireEvent, render, screen, within } from '@testing-library/react'
import type { ComponentProps } from 'react'
import { afterEach, expect, it, vi } from 'vitest'
import { Pauses } from '@/features/pauses/components/Pauses'
import { RampartInstruction, parseRampartInstruction } from '@/generated'
import type { Targets } from '@/lib/change'
import { BadStatus } from '@/lib/failure'
import { empty, keyOf } from '@/testing/accounts'
import { NOW, sampleView } from '@/testing/sample'

const zero = empty.guard()
const roles = { ...zero.roles, resetter: keyOf(7), guardians: zero.roles.guardians.map((_, at) => keyOf(20 + at)), guardianCount: 3, guardianQuorum: 2 }
const bounds = { ...zero.bounds, maxPauseSecs: 86_400, maxGuardianPauseSecs: 172_800, maxGuardPauseSecs: 864_000, quorumReserveSecs: 345_600 }
const guard = { address: keyOf(1) as string, value: empty.guard({ roles, bounds }) }
const view = sampleView((raw) => {
  Object.assign(raw.vaults[0] ?? {}, { address: keyOf(2) })
})
const paused = (dwellSecs: number) => {
  const [first, ...rest] = empty.vault().breaker.causes
  const cause = { ...first, source: keyOf(20), kind: 2, level: 2, reach: 1, trippedAtTs: BigInt(NOW - 1_000), expiresAtTs: BigInt(NOW + 7_000), dwellUntilTs: BigInt(NOW + dwellSecs) }
  return empty.vault({ breaker: { ...empty.vault().breaker, causes: [cause, ...rest] as never } })
}
function shown(vault = empty.vault(), props: Partial<ComponentProps<typeof Pauses>> = {}) {
  const act = vi.fn<ComponentProps<typeof Pauses>['act']>(() => <p>offered</p>)
  const targets: Targets = { guards: [guard], vaults: [{ address: keyOf(2), value: vault }], rules: [], assets: [], policies: [], reserves: [], aggregates: [], integrations: [] }
  render(<Pauses guard={guard} targets={targets} view={view} nowTs={NOW} failure={null} act={act} {...props} />)
  const open = screen.queryByRole('button', { name: 'Pause' })
  if (open !== null) fireEvent.click(open)
  return act
}
const choose = (label: string | RegExp, value: string) => {
  fireEvent.change(screen.getByLabelText(label), { target: { value } })
}
const nameOf = (instruction: unknown) => RampartInstruction[parseRampartInstruction(instruction as never).instructionType]
afterEach(cleanup)

it('offers a guardian a pause, and says what it does to whom, and until when', async () => {
  const act = shown()
  choose('What to pause', keyOf(2))
  choose(/^Who pauses/, keyOf(21))
  choose('For how long', '90')
  await screen.findByText('offered')
  const meaning = screen.getByRole('region', { name: 'What it does' })
  expect(meaning.textContent).toContain('SOL / USDC: at least “Reduce only”. No new risk. Exits pass through the floor.')
  expect([...meaning.querySelectorAll('dl > div')].map(({ textContent }) => textContent)).toEqual(['BorrowBlocked', 'SupplyBlocked', 'WithdrawFloor', 'RepayOpen', 'Add collateralOpen', 'LiquidateOpen'])
  expect(meaning.textContent).toContain('It holds for 2 h and ends by itself.')
  const [order] = act.mock.lastCall ?? []
  expect([order?.what, order?.authority, nameOf(order?.instructions[0])]).toEqual(['Pause', keyOf(21), 'GuardianPause'])
})

it('refuses a span beyond the bounds before anything is offered', async () => {
  const act = shown()
  choose('For how long', '1441')
  expect(screen.getByText('A whole number of minutes from 1 to 1440.')).toBeTruthy()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(screen.queryByText('offered')).toBeNull()
  expect(act.mock.calls.every(([order]) => order.what === 'Pause')).toBe(true)
})

it('shows the command for a halt, which needs a quorum', () => {
  const act = shown()
  choose('At which level', '3')
  expect(screen.getByText(/^A halt needs the signatures of 2 guardians/)).toBeTruthy()
  expect(screen.getByLabelText<HTMLTextAreaElement>('Command').value).toBe('rampart guard pause halt --secs 3600 --signer <GUARDIAN> --signer <GUARDIAN>')
  expect(act).not.toHaveBeenCalled()
})

it('lets the resetter end a pause early, once it may', async () => {
  const act = shown(paused(0))
  const running = within(screen.getByRole('list', { name: 'Pauses in force' }))
  expect(running.getByText('SOL / USDC: Reduce only')).toBeTruthy()
  expect(running.getByText('paused by guardian 1 17 min ago; ends by itself in 2 h')).toBeTruthy()
  fireEvent.click(running.getByRole('button', { name: 'Resume early' }))
  await running.findByText('offered')
  const order = act.mock.calls.map(([one]) => one).find(({ what }) => what === 'Resume')
  expect([order?.authority, nameOf(order?.instructions[0])]).toEqual([keyOf(7), 'LiftPause'])
})

it('says from when on a pause may be ended', () => {
  shown(paused(600))
  const running = within(screen.getByRole('list', { name: 'Pauses in force' }))
  expect(running.getByRole<HTMLButtonElement>('button', { name: 'Resume early' }).disabled).toBe(true)
  expect(running.getByText('It may be lifted in 10 min.')).toBeTruthy()
})

it('says that nothing is paused, that it still reads, and that what it read is old', () => {
  shown()
  expect(screen.getByText('No guardian pauses anything now.')).toBeTruthy()
  cleanup()
  shown(undefined, { failure: new BadStatus(500) })
  expect(screen.getByRole('status').textContent).toContain('As of the last answer.')
  cleanup()
  shown(undefined, { guard: undefined })
  expect(screen.getByRole('status').textContent).toContain('Reading pauses')
})

it('offers nothing to sign before somebody asks to pause', () => {
  const act = shown()
  fireEvent.click(screen.getByRole('button', { name: 'Pause' }))
  expect(screen.queryByLabelText('What to pause')).toBeNull()
  expect(screen.queryByText('offered')).toBeNull()
  expect(act.mock.calls.every(([{ what }]) => what === 'Pause')).toBe(true)
})
