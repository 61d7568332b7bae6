import type { Instruction } from '@solana/kit'
import { type ReactNode, useId, useState } from 'react'
import { useMade } from '@/components/useMade'
import type { Asset } from '@/generated'
import type { Held } from '@/lib/accounts'
import { formatAmount } from '@/lib/amount'
import { type Case, lentOut } from '@/lib/exit'
import { readTyped, typed } from '@/lib/form'
import { withdrawInstructions } from '@/lib/withdraw'

interface WithdrawFormProps {
  found: Case
  symbol: string
  /** The loan's asset account; undefined until it was read. */
  loan: Held<Asset> | undefined
  /** Simulates, signs and exports. */
  act: (order: { what: string; instructions: readonly Instruction[]; authority: string }) => ReactNode
}

function Prepared({ amount, loan, props }: { amount: bigint; loan: Asset; props: WithdrawFormProps }) {
  const { position, account, vault } = props.found
  const id = `withdraw ${vault.address} ${amount}`
  const order = { vault: { address: vault.address, value: account }, loan, position, lenders: vault.lenders_amount, amount }
  // the accounts move every second, and the least amount bounds what that may cost
  const instructions = useMade(id, () => withdrawInstructions(order))
  return instructions === null ? null : props.act({ what: 'Withdrawal', instructions, authority: position.owner })
}

/** Takes a lent amount back: within what the limits or the floor let out now. */
export function WithdrawForm(props: WithdrawFormProps) {
  const { found, symbol, loan } = props
  const unit = { decimals: found.vault.loan_decimals, sign: symbol }
  const most = lentOut(found).now
  const [text, setText] = useState('')
  const id = useId()
  const amount = readTyped(text, unit)
  const wrong = text === '' ? null : amount === null || amount === 0n ? `A number with at most ${unit.decimals} decimals.` : amount > most ? `At most ${formatAmount(most, unit.decimals, unit.decimals)} now.` : null
  return (
    <div className="withdraw">
      <label htmlFor={id}>Withdraw</label>
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
        <span className="quiet">{symbol}</span>
        <button
          type="button"
          className="quiet-button"
          onClick={() => {
            setText(typed(most, unit))
          }}
        >
          All that may leave now
        </button>
      </span>
      <small id={`${id}-why`} className={wrong === null ? 'quiet' : 'warn'}>
        {wrong ?? 'It goes to the owner’s own token account. At least 99.9 % of it has to arrive, or nothing leaves.'}
      </small>
      {wrong === null && amount !== null && amount > 0n && loan !== undefined && <Prepared amount={amount} loan={loan.value} props={props} />}
    </div>
  )
}
