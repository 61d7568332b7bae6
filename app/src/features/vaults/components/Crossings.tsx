import { Empty } from '@/components/ui/Panel'
import { formatBps, formatCompact, formatCount } from '@/lib/amount'
import { barsOf, ZONE_TEXT } from '@/lib/histogram'
import { liquidationPrice } from '@/lib/exit'
import { formatDecimal, formatGap } from '@/lib/price'
import type { Vault } from '@/lib/schema/view'

/** Debt by the price at which it reaches the liquidation line, nearest first. */
export function Crossings({ vault, loan, collateral }: { vault: Vault; loan: string; collateral: string }) {
  const bars = barsOf(vault.positions.histogram, vault.lines).filter(({ count, ltv_to_bps }) => count > 0 && ltv_to_bps > 0).reverse()
  if (bars.length === 0) return <Empty>Nobody has a debt here.</Empty>
  const fall = (ltv: number) => formatGap(Math.round((ltv / vault.lines.liquidation_line_bps - 1) * 10_000))
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Debt by liquidation price">
      <table className="crossings">
        <thead>
          <tr>
            <th scope="col">Loan to value</th>
            <th scope="col" className="number">{`Liquidated at, ${loan} per ${collateral}`}</th>
            <th scope="col" className="number">
              Move until then
            </th>
            <th scope="col" className="number">
              Positions
            </th>
            <th scope="col" className="number">{`Debt, ${loan}`}</th>
            <th scope="col">Zone</th>
          </tr>
        </thead>
        <tbody>
          {bars.map((bar) => {
            const price = liquidationPrice(bar.ltv_to_bps, vault)
            const line = vault.lines.liquidation_line_bps
            // Of the bar that holds the line, a part is over it.
            const isOver = bar.ltv_to_bps > line
            const since = bar.ltv_from_bps >= line ? 'now' : 'a part of it now'
            return (
              <tr key={bar.ltv_from_bps} data-zone={bar.zone}>
                <th scope="row">{bar.label}</th>
                <td className="number">{isOver ? since : price === null ? 'no agreed price' : `${formatDecimal(price)} or below`}</td>
                <td className="number">{isOver ? '' : fall(bar.ltv_to_bps)}</td>
                <td className="number">{formatCount(bar.count)}</td>
                <td className="number">{formatCompact(bar.debt_amount, vault.loan_decimals)}</td>
                <td>{ZONE_TEXT[bar.zone]}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
      <p className="note">{`A bar is told by its upper end: the first of it is liquidated there. The line is at ${formatBps(vault.lines.liquidation_line_bps)}.`}</p>
    </div>
  )
}
