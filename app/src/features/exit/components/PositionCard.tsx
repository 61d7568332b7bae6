import type { ComponentProps, ReactNode } from 'react'
import { Address } from '@/components/ui/Address'
import { Icon } from '@/components/ui/Icon'
import { LevelBadge } from '@/components/ui/level'
import { OutPanel } from '@/features/exit/components/OutPanel'
import { Tickets } from '@/features/exit/components/Tickets'
import { u128 } from '@/lib/accounts'
import { formatAmount, formatBps } from '@/lib/amount'
import { type Case, type Numbered, collateralOut, debtOf, lentOut, liquidationPrice, ltvBps, openTickets } from '@/lib/exit'
import { symbolOf } from '@/lib/names'
import { formatDecimal } from '@/lib/price'
import { LENT, ticketWorth } from '@/lib/ticket'
import type { View } from '@/lib/schema/view'

function Debt({ found, loan, collateral }: { found: Case; loan: string; collateral: string }) {
  const { position, account, vault } = found
  const debt = debtOf(position, account, vault)
  if (debt === 0n) return null
  const ltv = ltvBps(debt, position.collateralAmount, vault)
  const price = ltv === null ? null : liquidationPrice(ltv, vault)
  return (
    <dl className="pairs numbers">
      <div>
        <dt>Your debt</dt>
        <dd className="number">{`${formatAmount(debt, vault.loan_decimals, 4)} ${loan}`}</dd>
      </div>
      <div>
        <dt>Loan to value</dt>
        <dd className="number">
          {ltv === null ? 'no agreed price' : formatBps(ltv)}
          <small>{`liquidated from ${formatBps(vault.lines.liquidation_line_bps)}`}</small>
        </dd>
      </div>
      <div>
        <dt>{`Liquidated at, ${loan} per ${collateral}`}</dt>
        <dd className="number">{price === null ? '–' : `${formatDecimal(price)} or below`}</dd>
      </div>
      <div>
        <dt>Repaying and adding collateral</dt>
        <dd>
          <span className="pass" data-state="open">
            <Icon name="check" size={15} /> Open at every level
          </span>
        </dd>
      </div>
    </dl>
  )
}

interface PositionCardProps {
  address: string
  found: Case
  view: View
  /** Takes out what may leave now. */
  withdraw: ReactNode
  /** Queues what may not. */
  queue: ReactNode
  /** What can be done with a ticket. */
  actions: ComponentProps<typeof Tickets>['actions']
}

/** One position: what can leave now, what is queued, and until when at the latest. */
export function PositionCard({ address, found, view, withdraw, queue, actions }: PositionCardProps) {
  const { position, vault, nowTs } = found
  const [loan, collateral] = [symbolOf(view, vault.loan_asset), symbolOf(view, vault.collateral_asset)]
  const hasLent = u128(position.supplyShares) > 0n
  const worth = (numbered: Numbered) => {
    const [decimals, symbol] = numbered.ticket.side === LENT ? [vault.loan_decimals, loan] : [vault.collateral_decimals, collateral]
    return { amount: ticketWorth(found, numbered), decimals, symbol }
  }
  return (
    <article className="panel position" aria-label={vault.name}>
      <header>
        <h2>{vault.name}</h2>
        <LevelBadge level={vault.exit_level} />
        <Address value={address} label="position" />
      </header>
      <div className="outs">
        {hasLent && <OutPanel title="Lent" out={lentOut(found)} nowTs={nowTs} decimals={vault.loan_decimals} symbol={loan} />}
        {position.collateralAmount > 0n && <OutPanel title="Collateral" out={collateralOut(found)} nowTs={nowTs} decimals={vault.collateral_decimals} symbol={collateral} />}
      </div>
      {hasLent && vault.exit_level !== 4 && withdraw}
      <Debt found={found} loan={loan} collateral={collateral} />
      <section aria-label="Queue">
        <h3>Queued</h3>
        {vault.exit_level === 4 && <p className="quiet">In Resolution tickets wait for nothing: a claim takes their part along.</p>}
        <Tickets tickets={openTickets(position)} isRestricted={vault.exit_level >= 2} nowTs={nowTs} worth={worth} actions={actions} />
        {vault.exit_level !== 4 && queue}
      </section>
    </article>
  )
}
