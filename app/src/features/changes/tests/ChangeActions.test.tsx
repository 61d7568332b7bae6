import { getAddressEncoder } from '@solana/kit'
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import type { ComponentProps } from 'react'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ChangeActions } from '@/features/changes/components/ChangeActions'
import { getRolesEncoder } from '@/generated'
import type { Targets } from '@/lib/change'
import { metasOf } from '@/lib/exported'
import { Unreachable } from '@/lib/failure'
import { empty, keyOf, stored } from '@/testing/accounts'

const blank = empty.guard().roles
const roles = { ...blank, root: keyOf(9), vetoer: keyOf(1), guardians: blank.guardians.map((none, at) => (at === 0 ? keyOf(2) : none)), guardianCount: 1 }
const guard = empty.guard({ roles })
const oracle = { ...empty.asset().oracle, rate: { ...empty.asset().oracle.rate, kind: 1 } }
const targets: Targets = {
  guards: [],
  vaults: [{ address: keyOf(10), value: empty.vault({ collateralAsset: keyOf(20), loanAsset: keyOf(21), debtScaled: stored(5n) }) }],
  rules: [],
  assets: [20, 21].map((asset) => ({ address: keyOf(asset), value: empty.asset({ oracle }) })),
  policies: [],
  reserves: [],
  aggregates: [],
  integrations: [],
}
const row = (position: number) => ({ address: keyOf(position) as string, vault: '', owner: '', shares: 0n, debtScaled: 1n, collateral: 1n })
const changed = (group: number, next: ArrayLike<number> = []) => {
  const bytes = new Uint8Array(400)
  bytes.set(Array.from(next))
  return { address: keyOf(30) as string, value: empty.change({ group, target: keyOf(10), next: bytes, expiresAtTs: 1_000n }) }
}

type Props = ComponentProps<typeof ChangeActions>
function shown(act: string, props: Partial<Props>) {
  const order = vi.fn<Props['act']>(() => null)
  const common = { change: changed(2), guard, nowTs: 500, keeperSet: keyOf(40), targets, rows: null, failure: null, act: order }
  render(<ChangeActions {...common} {...props} />)
  fireEvent.click(screen.getByRole('button', { name: act }))
  const metas = () => order.mock.lastCall?.[0].instructions.flatMap((instruction) => metasOf(instruction).map(({ pubkey }) => pubkey))
  return { order, metas }
}
const paid = () => {
  fireEvent.change(screen.getByRole('textbox'), { target: { value: keyOf(50) } })
}
afterEach(cleanup)

describe('an execution', () => {
  it.each([
    ['of roles', changed(7, getRolesEncoder().encode(roles))],
    ['of root', changed(9, getAddressEncoder().encode(keyOf(8)))],
  ])('%s waits until the keeper set’s address is there', (_, change) => {
    const { order } = shown('Execute', { change, keeperSet: null })
    expect(screen.getByText('The address of the guard’s keeper set isn’t worked out yet, which a change of roles has to name.')).toBeTruthy()
    expect(order).not.toHaveBeenCalled()
  })
  it('of root is offered to the new root with the keeper set', () => {
    const { order, metas } = shown('Execute', { change: changed(9, getAddressEncoder().encode(keyOf(8))) })
    expect(order.mock.lastCall?.[0].authority).toBe(keyOf(8))
    expect(metas()?.at(-1)).toBe(keyOf(40))
  })
  it('of roles is offered with the keeper set', () => {
    const { metas } = shown('Execute', { change: changed(7, getRolesEncoder().encode(roles)) })
    paid()
    expect(metas()?.at(-1)).toBe(keyOf(40))
  })
  it('of lines waits for the sample, and says why it can’t be read', () => {
    const { order } = shown('Execute', { change: changed(1), rows: undefined })
    const words = 'The vault’s positions aren’t read yet: a sample of them is what the change is tried on.'
    expect(screen.getByText(words)).toBeTruthy()
    cleanup()
    shown('Execute', { change: changed(1), rows: undefined, failure: new Unreachable('The RPC endpoint can’t be reached.') })
    expect(screen.getByText(`${words} The RPC endpoint can’t be reached.`)).toBeTruthy()
    expect(order).not.toHaveBeenCalled()
  })
  it('of lines names the sample that was read', () => {
    const { metas } = shown('Execute', { change: changed(1), rows: [row(60)] })
    paid()
    expect(metas()?.slice(7)).toEqual([20, 21, 60].map(keyOf))
  })
})

describe('a veto', () => {
  it('of roles is offered to those alone who keep their own', () => {
    const { order } = shown('Veto', { change: changed(7, getRolesEncoder().encode({ ...roles, vetoer: keyOf(7) })) })
    expect(screen.getAllByRole('option').map(({ textContent }) => textContent)).toEqual([`Guardian 1: ${keyOf(2)}`])
    expect(order.mock.lastCall?.[0].authority).toBe(keyOf(2))
  })
  it('that nobody may cast says so', () => {
    const { order } = shown('Veto', { change: changed(7, getRolesEncoder().encode({ ...roles, vetoer: keyOf(7), guardianCount: 0 })) })
    expect(screen.getByText('Nobody may veto it: it takes away the role of each who could.')).toBeTruthy()
    expect(order).not.toHaveBeenCalled()
  })
})
