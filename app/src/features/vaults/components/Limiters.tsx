import { Meter } from '@/components/ui/Meter'
import { formatCompact, shareBps } from '@/lib/amount'
import type { Gauge, Vault } from '@/lib/schema/view'

interface Row {
  name: string
  /** What the limit of this row is. */
  note?: string
  gauge: Gauge
  decimals: number
  symbol: string
}

const toneOf = (share: number) => (share >= 0.9 ? 'alarm' : share >= 0.6 ? 'watch' : 'plain')

function Use({ row, window }: { row: Row; window: 'hour' | 'day' }) {
  const { gauge, decimals } = row
  const [used, limit] =
    window === 'hour'
      ? [gauge.hour_used_amount, gauge.hour_limit_amount]
      : [gauge.day_used_amount, gauge.day_limit_amount]
  const share = shareBps(used, limit) / 10_000
  const text = `${formatCompact(used, decimals)} of ${formatCompact(limit, decimals)}`
  return (
    <td>
      <Meter label={`${row.name}, last ${window}`} share={share} text={`${text} ${row.symbol}`} tone={toneOf(share)} />
      <small className="number">{limit === 0n ? 'nothing allowed' : text}</small>
    </td>
  )
}

/** What of the exits' limits only the exit floor may use; nothing where nobody tells. */
function floorRow(side: Vault['limits']['loan'], decimals: number, symbol: string): Row[] {
  return side.floor === null ? [] : [{ name: `Held back for the exit floor, ${symbol}`, note: 'no other exit gets into it', gauge: side.floor, decimals, symbol }]
}

/** How much of each outflow limit is used, over the last hour and the last day. */
export function Limiters({ vault, loan, collateral }: { vault: Vault; loan: string; collateral: string }) {
  const { limits, loan_decimals, collateral_decimals } = vault
  const rows: Row[] = [
    { name: 'Lenders’ exits', gauge: limits.loan.exit, decimals: loan_decimals, symbol: loan },
    { name: 'New borrowing', gauge: limits.loan.risk, decimals: loan_decimals, symbol: loan },
    { name: 'Collateral, no debt', gauge: limits.collateral.exit, decimals: collateral_decimals, symbol: collateral },
    { name: 'Collateral, with debt', gauge: limits.collateral.risk, decimals: collateral_decimals, symbol: collateral },
    ...floorRow(limits.loan, loan_decimals, loan),
    ...floorRow(limits.collateral, collateral_decimals, collateral),
  ]
  return (
    <table className="limiters">
      <caption>Outflow limits used</caption>
      <thead>
        <tr>
          <th scope="col">
            <span className="visually-hidden">Outflow</span>
          </th>
          <th scope="col">Hour</th>
          <th scope="col">Day</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name}>
            <th scope="row">
              {row.name}
              <small>{row.note ?? row.symbol}</small>
            </th>
            <Use row={row} window="hour" />
            <Use row={row} window="day" />
          </tr>
        ))}
      </tbody>
    </table>
  )
}
