import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import type { ComponentProps } from 'react'
import { afterEach, expect, it, vi } from 'vitest'
import { Propose } from '@/features/changes/components/Propose'
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
const type = (label: string, value: string) => {
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
