import type { Instruction } from '@solana/kit'
import { type ReactNode, useId, useState } from 'react'
import { useMade } from '@/components/useMade'
import { u128 } from '@/lib/accounts'
import { formatAmount, formatCount } from '@/lib/amount'
import type { Bound, Case } from '@/lib/exit'
import { readTyped, typed } from '@/lib/form'
import { COLLATERAL, LENT, type Side, datesOf, requestBounds, requestInstructions, requestObstacle, unitsFor } from '@/lib/ticket'
import { formatMoment } from '@/lib/time'

/** Simulates, signs and exports what is ordered. */
export type Ordered = (order: { what: string; instructions: readonly Instruction[]; authority: string }) => ReactNode

interface TicketFormProps {
  found: Case
  /** Symbols of both sides. */
  loan: string
  collateral: string
  act: Ordered
}

interface Asked {
  side: Side
  amount: bigint
  units: bigint
}

function Prepared({ asked, sign, decimals, props }: { asked: Asked; sign: string; decimals: number; props: TicketFormProps }) {
  const { position, account, vault } = props.found
  const { side, amount, units } = asked
  // what a share is worth moves every second: the units are those of the moment at which the amount was typed
  const [kept] = useState(units)
  const of = { vault: { address: vault.address, value: account }, position }
  const instructions = useMade(`queue ${vault.address} ${side} ${kept}`, () => requestInstructions(of, side, kept))
  const { eligibleTs, latestTs } = datesOf(props.found)
  return (
    <>
      <section className="propose-diff" aria-label="What would change">
        <h3>What would change</h3>
        <dl className="moves">
          <div>
            <dt>Queued by a new ticket</dt>
            <dd>
              <strong className="number">{`${formatAmount(amount, decimals, decimals)} ${sign}${side === LENT ? `, ${formatCount(kept)} shares` : ''}`}</strong>
            </dd>
          </div>
          <div>
            <dt>Can be claimed from, at the earliest</dt>
            <dd className="number">{formatMoment(eligibleTs)}</dd>
          </div>
          <div>
            <dt>Held back by no level below Resolution for a day from, at the earliest</dt>
            <dd className="number">{formatMoment(latestTs)}</dd>
          </div>
        </dl>
        <p className="quiet">
          {side === LENT
            ? 'Nothing leaves yet. The shares stay yours, earn interest and bear losses until they are paid; no price is fixed.'
            : 'Nothing leaves yet. The collateral stays yours until it is paid, and no debt may stand behind it then.'}
          {' Where an hour is full the ticket gets the next one with room: the simulation says which.'}
        </p>
      </section>
      {instructions !== null && props.act({ what: 'Ticket', instructions, authority: position.owner })}
    </>
  )
}

/** What of an amount won’t do; null where it will. */
function wrongOf(text: string, amount: bigint | null, [bound]: readonly Bound[], unit: { decimals: number; sign: string }): string | null {
  if (text === '') return null
  if (amount === null || amount === 0n) return `A number with at most ${unit.decimals} decimals.`
  if (bound === undefined || amount <= bound.amount) return null
  return `At most ${formatAmount(bound.amount, unit.decimals, unit.decimals)} ${unit.sign}: ${bound.name}.`
}

function Amount({ side, props }: { side: Side; props: TicketFormProps }) {
  const { found, loan, collateral } = props
  const unit = side === LENT ? { decimals: found.vault.loan_decimals, sign: loan } : { decimals: found.vault.collateral_decimals, sign: collateral }
  const [text, setText] = useState('')
  const id = useId()
  const obstacle = requestObstacle(found, side)
  if (obstacle !== null) return <p className="quiet">{obstacle}</p>
  const bounds = requestBounds(found, side)
  const amount = readTyped(text, unit)
  const wrong = wrongOf(text, amount, bounds, unit)
  const most = bounds[0]?.amount ?? 0n
  return (
    <>
      <label htmlFor={id}>Queue</label>
      <span className="propose-input">
        <input
          id={id}
          inputMode="decimal"
          autoComplete="off"
          value={text}
          aria-invalid={wrong !== null}
          aria-describedby={`${id}-why`}
          onChange={(event) => {
            setText(event.target.value)
          }}
        />
        <span className="quiet">{unit.sign}</span>
        <button
          type="button"
          className="quiet-button"
          onClick={() => {
            setText(typed(most, unit))
          }}
        >
          The most for one ticket
        </button>
      </span>
      <small id={`${id}-why`} className={wrong === null ? 'quiet' : 'warn'}>
        {wrong ?? `For what is over a limit now. At most ${formatAmount(most, unit.decimals, unit.decimals)} ${unit.sign}: ${bounds[0]?.name ?? ''}.`}
      </small>
      {wrong === null && amount !== null && amount > 0n && (
        <Prepared key={`${side} ${amount}`} asked={{ side, amount, units: unitsFor(found, side, amount) }} sign={unit.sign} decimals={unit.decimals} props={props} />
      )}
    </>
  )
}

/** Queues a withdrawal that is over a limit now: a ticket with a date at which no level below Resolution holds it back. */
export function TicketForm(props: TicketFormProps) {
  const { position } = props.found
  const sides: readonly Side[] = [...(u128(position.supplyShares) > 0n ? [LENT] : []), ...(position.collateralAmount > 0n ? [COLLATERAL] : [])]
  const [chosen, setChosen] = useState<Side | null>(null)
  const id = useId()
  const side = chosen !== null && sides.includes(chosen) ? chosen : sides[0]
  if (side === undefined) return null
  return (
    <div className="withdraw" role="group" aria-label="Ask for a ticket">
      {sides.length > 1 && (
        <>
          <label htmlFor={id}>What to queue</label>
          <select
            id={id}
            value={side}
            onChange={(event) => {
              setChosen(Number(event.target.value) === COLLATERAL ? COLLATERAL : LENT)
            }}
          >
            <option value={LENT}>{`lent ${props.loan}`}</option>
            <option value={COLLATERAL}>{`collateral ${props.collateral}`}</option>
          </select>
        </>
      )}
      <Amount key={side} side={side} props={props} />
    </div>
  )
}
