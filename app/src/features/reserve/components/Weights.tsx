import { Panel } from '@/components/ui/Panel'
import { formatBps } from '@/lib/amount'
import type { Slice } from '@/lib/basket'
import { type Level, LEVELS, levelText } from '@/lib/level'

/** Levels that have weights of their own; a higher one has those of the last. */
const COLUMNS = LEVELS.slice(0, 4)

/** Target weights at each level; `isLed` says that those of `level` lead now. */
export function Weights({ slices, weights, level, isLed }: { slices: readonly Slice[]; weights: readonly (readonly number[])[]; level: Level; isLed: boolean }) {
  const isNow = (column: Level) => column === Math.min(level, 3)
  return (
    <Panel title="Target weights" note="As risk rises the basket moves to the quote asset.">
      <div className="scroll" tabIndex={0} role="group" aria-label="Weights by level">
        <table className="weights">
          <thead>
            <tr>
              <th scope="col">Asset</th>
              {COLUMNS.map((column) => (
                <th scope="col" className="number" key={column} data-now={isNow(column)}>
                  {levelText(column).name}
                  {isNow(column) && <small>{isLed ? 'in force' : 'the level now'}</small>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {slices.map((slice, index) => (
              <tr key={slice.asset}>
                <th scope="row">{slice.symbol}</th>
                {COLUMNS.map((column) => (
                  <td className="number" key={column} data-now={isNow(column)}>
                    {formatBps(weights[index]?.[column] ?? 0)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}
