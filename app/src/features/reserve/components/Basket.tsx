import { Meter } from '@/components/ui/Meter'
import { Empty, Panel } from '@/components/ui/Panel'
import { formatAmount, formatBps } from '@/lib/amount'
import { type Goal, type Slice, driftBps } from '@/lib/basket'
import { levelText } from '@/lib/level'
import { formatGap } from '@/lib/price'

function Row({ slice }: { slice: Slice }) {
  const { shareBps, targetBps, symbol, decimals } = slice
  const gap = shareBps === null || targetBps === null ? null : shareBps - targetBps
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
        {targetBps === null ? '–' : formatBps(targetBps)}
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

/** Why the targets are what they are, or that there are none. */
function leadText({ level, scoreBps, state, scored }: Goal): string {
  const [name, about] = [levelText(level).name, scored ?? 'the basket']
  if (state === 'followed') return `Targets at ${name}, moved on by the keepers’ median score of ${about}, ${formatBps(scoreBps ?? 0)}.`
  if (state === 'to_quote') return `Targets at ${name}. Without a median score of ${about} only swaps into the quote asset are open.`
  if (state === 'held') return `Held: without a median score of ${about} the basket keeps its weights.`
  return 'Targets hang on the keepers’ median, which only a keeper judges, and none tells them here.'
}

function driftText(slices: readonly Slice[], minimum: number): string {
  const drift = driftBps(slices)
  if (drift !== null) return `All gaps together are ${formatBps(drift)}; a swap must take off at least ${formatBps(minimum)}.`
  return slices.some(({ targetBps }) => targetBps === null) ? '' : 'Drift is unknown without all prices.'
}

/** What the reserve holds against what it should hold. */
export function Basket({ slices, goal, minimum }: { slices: readonly Slice[]; goal: Goal; minimum: number }) {
  return (
    <Panel title="Basket" note={`${leadText(goal)} ${driftText(slices, minimum)}`.trim()}>
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
