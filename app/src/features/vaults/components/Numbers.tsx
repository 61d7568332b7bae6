import type { ReactNode } from 'react'
import { formatBps, formatCompact } from '@/lib/amount'
import { formatDecimal } from '@/lib/price'
import type { Vault } from '@/lib/schema/view'

function Pair({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="number">{children}</dd>
    </div>
  )
}

function band({ price }: Vault): string {
  if (price.state === 'indeterminate' || price.lo === null || price.hi === null) return 'not agreed'
  if (price.state === 'recorded') return `${formatDecimal(price.hi)}, last recorded`
  return `${formatDecimal(price.lo)} to ${formatDecimal(price.hi)}`
}

/** A vault's money: what is in it, lent, insured, lost. */
export function Numbers({ vault, loan, collateral }: { vault: Vault; loan: string; collateral: string }) {
  const inLoan = (amount: bigint) => `${formatCompact(amount, vault.loan_decimals)} ${loan}`
  const inCollateral = (amount: bigint) => `${formatCompact(amount, vault.collateral_decimals)} ${collateral}`
  return (
    <dl className="pairs numbers">
      <Pair name="Lenders">{inLoan(vault.lenders_amount)}</Pair>
      <Pair name="Debt">{inLoan(vault.debt_amount)}</Pair>
      <Pair name="Cash">{inLoan(vault.cash_amount)}</Pair>
      <Pair name="Collateral">{inCollateral(vault.collateral_amount)}</Pair>
      <Pair name="Utilisation">{formatBps(vault.utilisation_bps)}</Pair>
      <Pair name="Borrow rate">{formatBps(vault.rate_bps)}</Pair>
      <Pair name={`Price, ${loan} per ${collateral}`}>{band(vault)}</Pair>
      <Pair name="Insurance">{inLoan(vault.insurance_amount)}</Pair>
      <Pair name="Liquidated so far">{inLoan(vault.totals.liquidated_amount)}</Pair>
      <Pair name="Bad debt so far">{inLoan(vault.totals.bad_debt_amount)}</Pair>
    </dl>
  )
}
