import { Meter } from '@/components/ui/Meter'
import { Empty, Panel } from '@/components/ui/Panel'
import { formatAmount, formatBps } from '@/lib/amount'
import { type Slice, driftBps } from '@/lib/basket'
import { levelText } from '@/lib/level'
import { formatGap } from '@/lib/price'
import type { View } from '@/lib/schema/view'

function Row({ slice }: { slice: Slice }) {
  const { shareBps, targetBps, symbol, decimals } = slice
  const gap = shareBps === null ? null : shareBps - targetBps
  return (
    <tr>
      <th scope="row">
        {symbol}
        <small>{slice.isQuote ? 'the quote asset' : ''}</small>
      </th>
      <td className="number" data-label="Holds">
        {formatAmount(slice.amount, decimals)}
        <small>{slice.microUsd === null ? 'no agreed price' : `$${formatAmount(slice.microUsd, 6)}`}</small>
      </td>
      <td data-label="Share" className="basket-share">
        <Meter label={`${symbol}: share of the basket`} share={(shareBps ?? 0) / 10_000} text={shareBps === null ? 'unknown' : formatBps(shareBps)} />
        <small className="number">{shareBps === null ? 'unknown' : formatBps(shareBps)}</small>
      </td>
      <td className="number" data-label="Target">
        {formatBps(targetBps)}
      </td>
      <td className="number" data-label="Drift">
        {gap === null ? '–' : formatGap(gap)}
      </td>
      <td className="number" data-label="Covered so far">
        {slice.covered === 0n ? '–' : formatAmount(slice.covered, decimals)}
      </td>
    </tr>
  )
}

/** What the reserve holds against what it should hold. */
export function Basket({ slices, view, scored, minimum }: { slices: readonly Slice[]; view: View; scored: string | null; minimum: number }) {
  const drift = driftBps(slices)
  const target = `Targets at ${levelText(view.guard.level).name}; between levels they follow the keepers’ score of ${scored ?? 'the basket'}.`
  return (
    <Panel title="Basket" note={`${target} ${drift === null ? 'Drift is unknown without all prices.' : `Drift ${formatBps(drift)}; a swap must take off at least ${formatBps(minimum)}.`}`}>
      {slices.length === 0 ? (
        <Empty>The reserve has no asset.</Empty>
      ) : (
        <div className="scroll" tabIndex={0} role="group" aria-label="Basket">
          <table className="basket stacks">
            <thead>
              <tr>
                <th scope="col">Asset</th>
                <th scope="col" className="number">
                  Holds
                </th>
                <th scope="col">Share</th>
                <th scope="col" className="number">
                  Target
                </th>
                <th scope="col" className="number">
                  Drift
                </th>
                <th scope="col" className="number">
                  Covered so far
                </th>
              </tr>
            </thead>
            <tbody>
              {slices.map((slice) => (
                <Row key={slice.asset} slice={slice} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}
