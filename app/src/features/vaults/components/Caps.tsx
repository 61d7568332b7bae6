import { Meter } from '@/components/ui/Meter'
import { formatBps, formatCompact, shareBps } from '@/lib/amount'
import type { Vault } from '@/lib/schema/view'

interface Row {
  name: string
  used: bigint
  cap: bigint
  decimals: number
  symbol: string
}

function Cap({ row }: { row: Row }) {
  const bps = shareBps(row.used, row.cap)
  const text = `${formatCompact(row.used, row.decimals)} of ${formatCompact(row.cap, row.decimals)} ${row.symbol}`
  return (
    <li>
      <p>
        <span>{row.name}</span> <span className="number quiet">{row.cap === 0n ? 'closed' : formatBps(bps)}</span>
      </p>
      <Meter label={`${row.name}, share of the cap`} share={bps / 10_000} text={text} tone={bps >= 9_500 ? 'alarm' : bps >= 8_000 ? 'watch' : 'plain'} />
      <small className="number">{text}</small>
    </li>
  )
}

/** Utilisation, and how far each cap is filled. */
export function Caps({ vault, loan, collateral }: { vault: Vault; loan: string; collateral: string }) {
  const { loan_decimals, collateral_decimals } = vault
  const rows: Row[] = [
    { name: 'Supplied', used: vault.lenders_amount, cap: vault.supply_cap_amount, decimals: loan_decimals, symbol: loan },
    { name: 'Borrowed', used: vault.debt_amount, cap: vault.borrow_cap_amount, decimals: loan_decimals, symbol: loan },
    { name: 'Collateral', used: vault.collateral_amount, cap: vault.collateral_cap_amount, decimals: collateral_decimals, symbol: collateral },
  ]
  const lent = formatBps(vault.utilisation_bps)
  return (
    <ul className="caps" aria-label="Utilisation and caps">
      <li>
        <p>
          <span>Lent out</span> <span className="number quiet">{lent}</span>
        </p>
        <Meter label="Share that is lent out" share={vault.utilisation_bps / 10_000} text={lent} tone={vault.utilisation_bps >= 9_500 ? 'alarm' : 'plain'} />
        <small className="number">{`borrowers pay ${formatBps(vault.rate_bps)} a year`}</small>
      </li>
      {rows.map((row) => (
        <Cap key={row.name} row={row} />
      ))}
    </ul>
  )
}
