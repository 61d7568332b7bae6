import { useState } from 'react'
import { useMade } from '@/components/useMade'
import type { Ordered } from '@/features/exit/components/TicketForm'
import type { Asset } from '@/generated'
import type { Held } from '@/lib/accounts'
import type { Case, Numbered, TicketStage } from '@/lib/exit'
import { cancelInstructions, claimInstructions } from '@/lib/ticket'

type Choice = 'claim' | 'cancel'

interface TicketActionsProps {
  found: Case
  ticket: Numbered
  stage: TicketStage
  /** What it is worth now, with its unit. */
  worth: string
  /** Asset account of the mint that it pays; undefined until it was read. */
  asset: Held<Asset> | undefined
  act: Ordered
}

const TEXTS: Record<Choice, { name: string; what: string }> = {
  claim: { name: 'Claim', what: 'Claim' },
  cancel: { name: 'Cancel', what: 'Cancelled ticket' },
}

function Prepared({ choice, props }: { choice: Choice; props: TicketActionsProps }) {
  const { found, ticket, worth, asset } = props
  const { position, account, vault } = found
  const of = { vault: { address: vault.address, value: account }, position }
  // only what pays names the asset's mint
  const instructions = useMade(`${choice} ${vault.address} ${ticket.number} ${ticket.ticket.side} ${asset?.address ?? ''}`, () =>
    choice === 'cancel' ? cancelInstructions(of, ticket.number) : asset === undefined ? Promise.resolve(null) : claimInstructions(of, ticket, asset.value),
  )
  return (
    <>
      <p>
        {choice === 'claim'
          ? `Up to ${worth} goes to the owner’s own token account. Where cash or room are short, less does: the rest stays queued with its dates.`
          : `Ticket ${ticket.number} ends, and what it locks is free again: ${worth}. Nothing leaves, and its hour is lost to others.`}
      </p>
      {instructions !== null && props.act({ what: TEXTS[choice].what, instructions, authority: position.owner })}
    </>
  )
}

/** Claims a ticket that is ripe, or gives one back. */
export function TicketActions(props: TicketActionsProps) {
  const { found, ticket, stage } = props
  const [choice, setChoice] = useState<Choice | null>(null)
  const isPaid = found.vault.exit_level !== 4 && (stage === 'claimable' || stage === 'due')
  const choices: readonly Choice[] = isPaid ? ['claim', 'cancel'] : ['cancel']
  return (
    <div className="ticket-act">
      <div className="act-choices" role="group" aria-label={`What to do with ticket ${ticket.number}`}>
        {choices.map((one) => (
          <button
            type="button"
            key={one}
            className="button"
            aria-pressed={choice === one}
            onClick={() => {
              setChoice(choice === one ? null : one)
            }}
          >
            {TEXTS[one].name}
          </button>
        ))}
      </div>
      {choice !== null && choices.includes(choice) && <Prepared key={choice} choice={choice} props={props} />}
    </div>
  )
}
