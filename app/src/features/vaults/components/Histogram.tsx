import { Empty } from '@/components/ui/Panel'
import { Figure } from '@/components/ui/Figure'
import { formatBps, formatCompact, formatCount } from '@/lib/amount'
import { type Bar, ZONE_TEXT, barsOf, positionOf } from '@/lib/histogram'
import type { Vault } from '@/lib/schema/view'

interface Line {
  name: string
  bps: number
}

const linesOf = ({ lines }: Vault): Line[] => [
  { name: 'new debt', bps: lines.ltv_bps },
  { name: 'soft', bps: lines.soft_line_bps },
  { name: 'liquidation', bps: lines.liquidation_line_bps },
]

function Bars({ vault, bars, symbol }: { vault: Vault; bars: Bar[]; symbol: string }) {
  const debt = (bar: Bar) => `${formatCompact(bar.debt_amount, vault.loan_decimals)} ${symbol}`
  return (
    <div className="histogram" role="img" aria-label="Positions by loan to value. A table has the same values.">
      <div className="histogram-bars">
        {bars.map((bar) => (
          <span key={bar.ltv_from_bps} className="bar-slot" title={`${bar.label}: ${bar.count} positions, ${debt(bar)}`}>
            <span className="bar" data-zone={bar.zone} style={{ blockSize: `${bar.height * 100}%` }} />
          </span>
        ))}
        {linesOf(vault).map((line) => (
          <span
            key={line.name}
            className="histogram-line"
            data-line={line.name}
            style={{ insetInlineStart: `${positionOf(line.bps, bars) * 100}%` }}
          />
        ))}
      </div>
      <div className="histogram-axis">
        <span>{formatBps(bars[0]?.ltv_from_bps ?? 0)}</span>
        <span>loan to value</span>
        <span>{bars.at(-1)?.label}</span>
      </div>
      <ul className="histogram-lines">
        {linesOf(vault).map((line) => (
          <li key={line.name} data-line={line.name}>{`${line.name} ${formatBps(line.bps)}`}</li>
        ))}
      </ul>
    </div>
  )
}

function BarTable({ vault, bars, symbol }: { vault: Vault; bars: Bar[]; symbol: string }) {
  return (
    <div className="scroll chart-table" tabIndex={0} role="group" aria-label={`${vault.name}, positions`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Loan to value</th>
            <th scope="col" className="number">
              Positions
            </th>
            <th scope="col" className="number">
              {`Debt, ${symbol}`}
            </th>
            <th scope="col">Zone</th>
          </tr>
        </thead>
        <tbody>
          {bars
            .filter(({ count }) => count > 0)
            .map((bar) => (
              <tr key={bar.ltv_from_bps}>
                <th scope="row">{bar.label}</th>
                <td className="number">{formatCount(bar.count)}</td>
                <td className="number">{formatCompact(bar.debt_amount, vault.loan_decimals)}</td>
                <td>{ZONE_TEXT[bar.zone]}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  )
}

/** How positions are spread over loan to value, with the lines that matter. */
export function Histogram({ vault, symbol }: { vault: Vault; symbol: string }) {
  const bars = barsOf(vault.positions.histogram, vault.lines)
  const { borrowers, soft, liquidatable } = vault.positions
  const caption = `${formatCount(borrowers)} with debt: ${formatCount(soft)} soft, ${formatCount(liquidatable)} liquidatable`
  if (borrowers === 0 || bars.length === 0) return <Empty>Nobody has a debt here.</Empty>
  return (
    <Figure
      caption={caption}
      chart={<Bars vault={vault} bars={bars} symbol={symbol} />}
      table={<BarTable vault={vault} bars={bars} symbol={symbol} />}
    />
  )
}
