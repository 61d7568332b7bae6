import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, expect, it, vi } from 'vitest'
import { TicketActions } from '@/features/exit/components/TicketActions'
import type { Ordered } from '@/features/exit/components/TicketForm'
import { parseClaimWithdrawalInstruction } from '@/generated'
import type { TicketStage } from '@/lib/exit'
import { empty, keyOf } from '@/testing/accounts'
import { NOW, sampleView } from '@/testing/sample'

const [vault] = sampleView().vaults
if (vault === undefined) throw new Error('The sample has a vault.')
const position = empty.position({ owner: keyOf(9) })
const asset = { address: 'asset', value: empty.asset() }
const address = keyOf(10) as string

function shown(stage: TicketStage, level: 0 | 4 = 0) {
  const act = vi.fn<Ordered>(() => <p>offered</p>)
  const found = { position, account: empty.vault(), vault: { ...vault, address, exit_level: level } as never, nowTs: NOW }
  render(<TicketActions found={found} ticket={{ number: 3, ticket: { ...position.tickets.slots[3], side: 0 } as never }} stage={stage} worth="9 USDC" asset={asset} act={act} />)
  return act
}
const names = () => screen.getAllByRole('button').map(({ textContent }) => textContent)
afterEach(cleanup)

it.each<[TicketStage, string[]]>([
  ['waiting', ['Cancel']],
  ['held', ['Cancel']],
  ['claimable', ['Claim', 'Cancel']],
  ['due', ['Claim', 'Cancel']],
])('offers for a ticket that is %s %j', (stage, offered) => {
  shown(stage)
  expect(names()).toEqual(offered)
})

it('lets a ticket only be given back in Resolution', () => {
  shown('due', 4)
  expect(names()).toEqual(['Cancel'])
})

it('says what a claim does before it is simulated, and names the ticket in it', async () => {
  const act = shown('claimable')
  fireEvent.click(screen.getByRole('button', { name: 'Claim' }))
  expect(screen.getByText(/^Up to 9 USDC goes to the owner’s own token account/)).toBeTruthy()
  await screen.findByText('offered')
  const [order] = act.mock.lastCall ?? []
  expect([order?.what, order?.authority, order?.instructions.length]).toEqual(['Claim', keyOf(9), 2])
  expect(parseClaimWithdrawalInstruction(order?.instructions[1] as never).data.args.ticket).toBe(3)
})
