import type { ReactNode } from 'react'
import { Countdown } from '@/components/ui/Countdown'
import { Icon } from '@/components/ui/Icon'
import { u128 } from '@/lib/accounts'
import { formatAmount, formatCount } from '@/lib/amount'
import { type Numbered, type TicketStage, ticketStage } from '@/lib/exit'

const STAGES: Record<TicketStage, { word: string; state: string }> = {
  waiting: { word: 'Waiting for its hour', state: 'limited' },
  claimable: { word: 'Can be claimed', state: 'open' },
  held: { word: 'Held by the level', state: 'closed' },
  due: { word: 'Can be claimed, whatever the level', state: 'open' },
}

interface TicketsProps {
  tickets: readonly Numbered[]
  isRestricted: boolean
  nowTs: number
  /** Base units that a ticket's shares are worth now. */
  worth: (ticket: Numbered) => { amount: bigint; decimals: number; symbol: string }
  /** What can be done with a ticket. */
  actions: (ticket: Numbered, stage: TicketStage, worth: string) => ReactNode
}

/** What is queued, from when it can be claimed, and from when no level below Resolution holds it back. */
export function Tickets({ tickets, isRestricted, nowTs, worth, actions }: TicketsProps) {
  if (tickets.length === 0) return <p className="quiet">Nothing is queued. What is over a limit can be queued with a hard date.</p>
  return (
    <ul className="tickets" aria-label="Queued withdrawals">
      {tickets.map((numbered) => {
        const { ticket, number } = numbered
        const at = ticketStage(ticket, isRestricted, nowTs)
        const stage = STAGES[at]
        const { amount, decimals, symbol } = worth(numbered)
        const text = `${formatAmount(amount, decimals, 4)} ${symbol}`
        return (
          <li key={number}>
            <p>
              <strong className="number">{text}</strong>
              <span className="quiet">{`ticket ${number}${ticket.side === 0 ? `, ${formatCount(u128(ticket.shares))} shares` : ''}`}</span>
            </p>
            <span className="pass" data-state={stage.state}>
              <Icon name={stage.state === 'open' ? 'check' : stage.state === 'closed' ? 'cross' : 'clock'} size={15} /> {stage.word}
            </span>
            <dl className="cause-times">
              <div>
                <dt>From</dt>
                <dd>
                  <Countdown ts={Number(ticket.eligibleAtTs)} nowTs={nowTs} over="open" />
                </dd>
              </div>
              <div>
                <dt>At the latest</dt>
                <dd>
                  <Countdown ts={Number(ticket.latestAtTs)} nowTs={nowTs} over="now" />
                </dd>
              </div>
            </dl>
            {actions(numbered, at, text)}
          </li>
        )
      })}
    </ul>
  )
}
