import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import type { ComponentProps } from 'react'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Propose } from '@/features/changes/components/Propose'
import { RampartInstruction, parseRampartInstruction } from '@/generated'
import type { Targets } from '@/lib/change'
import { metasOf } from '@/lib/exported'
import { BadStatus } from '@/lib/failure'
import { empty, keyOf } from '@/testing/accounts'
import { NOW, sampleView } from '@/testing/sample'

const blank = empty.guard().roles
const roles = { ...blank, root: keyOf(9), riskAdmin: keyOf(8), resetter: keyOf(7), vetoer: keyOf(6), guardianCount: 1, guardianQuorum: 1 }
const guard = { address: keyOf(1) as string, value: empty.guard({ roles }) }
const targets: Targets = { guards: [guard], vaults: [{ address: keyOf(2), value: empty.vault() }], rules: [{ address: keyOf(3), value: empty.rule() }], assets: [], policies: [], reserves: [], aggregates: [], integrations: [] }

function shown(group: number, target: number, props: Partial<ComponentProps<typeof Propose>> = {}) {
  const act = vi.fn<ComponentProps<typeof Propose>['act']>(() => <p>offered</p>)
  render(<Propose guard={guard} targets={targets} view={sampleView()} nowTs={NOW} failure={null} act={act} {...props} />)
  fireEvent.change(screen.getByLabelText('What shall change'), { target: { value: `${group} ${keyOf(target)}` } })
  return act
}
const type = (label: string | RegExp, value: string) => {
  fireEvent.change(screen.getByLabelText(label), { target: { value } })
}
afterEach(cleanup)

it('refuses a new vetoer with the command, before anything is offered', async () => {
  const act = shown(7, 1)
  type('Vetoer', keyOf(5))
  expect(screen.getByText(/^A new vetoer needs beside root’s signature those of a guardian/)).toBeTruthy()
  expect(screen.getByLabelText<HTMLTextAreaElement>('Command').value).toBe(`rampart guard propose roles vetoer=${keyOf(5)} --signer <ROOT> --signer <GUARDIAN>`)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(act).not.toHaveBeenCalled()
})

it('offers other roles with the keeper set behind the program’s own accounts', async () => {
  const act = shown(7, 1)
  type('Risk admin', keyOf(5))
  await screen.findByText('offered')
  const [order] = act.mock.lastCall ?? []
  expect([order?.authority, order?.instructions.flatMap(metasOf).length]).toEqual([keyOf(9), 9])
})

it('disables what no change may move, and says why', () => {
  shown(4, 3)
  for (const label of ['Metric', 'Comparator', 'Scope', 'Window', 'Sources required']) {
    const field = screen.getByLabelText<HTMLInputElement>(label)
    expect([field.disabled, document.getElementById(field.getAttribute('aria-describedby') ?? '')?.textContent]).toEqual([true, 'fixed at creation'])
  }
  expect(screen.getByLabelText<HTMLInputElement>('Threshold').disabled).toBe(false)
})

it('says that what is now may be old', () => {
  shown(4, 3, { failure: new BadStatus(500) })
  expect(screen.getByRole('status').textContent).toContain('As of the last answer. The keeper answered with status 500.')
})

describe('what only gets stricter', () => {
  const params = { ...empty.rule().params, comparator: 1, threshold: 1_500n, clearThreshold: 800n }
  const bounds = { ...empty.guard().bounds, maxTightenStepBps: 5_000, maxRuleDurationSecs: 3_600 }
  const own = { address: keyOf(1) as string, value: empty.guard({ roles, bounds }) }
  const held: Targets = { ...targets, guards: [own], rules: [{ address: keyOf(3), value: empty.rule({ params }) }] }
  const nameOf = (instruction: unknown) => RampartInstruction[parseRampartInstruction(instruction as never).instructionType]
  it('may hold at once, by the risk admin or root, with its diff first', async () => {
    const act = shown(4, 3, { guard: own, targets: held })
    type('Threshold', '12')
    expect(screen.getByRole('region', { name: 'What would change' }).textContent).toContain('Every part gets stricter: it may hold at once.')
    await screen.findByText('offered')
    const [order] = act.mock.lastCall ?? []
    expect([order?.what, order?.authority, nameOf(order?.instructions[0])]).toEqual(['Tightening', keyOf(8), 'TightenRule'])
    type(/^Who tightens/, keyOf(9))
    await vi.waitFor(() => {
      expect(act.mock.lastCall?.[0].authority).toBe(keyOf(9))
    })
  })
  it('may be proposed all the same', async () => {
    const act = shown(4, 3, { guard: own, targets: held })
    type('Threshold', '12')
    fireEvent.click(screen.getByRole('button', { name: 'Propose' }))
    await vi.waitFor(() => {
      expect(act.mock.lastCall?.[0].what).toBe('Proposal')
    })
  })
  it('waits once a part of it gets looser, and names that part', async () => {
    const act = shown(4, 3, { guard: own, targets: held })
    type('Threshold', '12')
    type('Clear threshold', '9')
    expect(screen.getByRole('region', { name: 'What would change' }).textContent).toMatch(/in public.*What gets looser or has no strict side: Clear threshold\. The rest waits with it: tighten that by itself/)
    expect(screen.queryByRole('button', { name: 'Tighten at once' })).toBeNull()
    await vi.waitFor(() => {
      expect(act.mock.lastCall?.[0].what).toBe('Proposal')
    })
  })
  it('is refused at once beyond the step of a day', () => {
    const act = shown(4, 3, { guard: own, targets: held })
    type('Threshold', '7')
    type('Clear threshold', '3')
    expect(screen.getByText(/^It takes 62\.5 % off a value, and tightenings at once may take 50 % off/)).toBeTruthy()
    expect(act.mock.calls.map(([order]) => order.what)).not.toContain('Tightening')
  })
})
