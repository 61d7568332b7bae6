import { Address } from '@/components/ui/Address'
import { OldNews, Reading } from '@/components/ui/Doubt'
import { Empty, Panel } from '@/components/ui/Panel'
import { formatAmount, formatBps, formatCount, shareBps } from '@/lib/amount'
import type { PastSwaps } from '@/lib/chain/pastSwaps'
import type { Swap } from '@/lib/chain/swaps'
import type { Failure } from '@/lib/failure'
import { shortAddress } from '@/lib/names'
import type { View } from '@/lib/schema/view'
import { formatAgo } from '@/lib/time'

interface SwapsProps {
  /** The newest swaps; null until they were read, `past` null where nobody lists them. */
  answer: { past: PastSwaps | null } | null
  failure: Failure | null
  view: View
  nowTs: number
}

function amountText(view: View, mint: string, amount: bigint): string {
  const asset = view.assets.find((known) => known.mint === mint)
  return asset === undefined ? `${formatCount(amount)} base units of ${shortAddress(mint)}` : `${formatAmount(amount, asset.decimals)} ${asset.symbol}`
}

function Row({ swap, view, nowTs }: { swap: Swap; view: View; nowTs: number }) {
  return (
    <tr>
      <th scope="row">{swap.ts === null ? 'not known' : formatAgo(swap.ts, nowTs)}</th>
      <td data-label="Sold" className="number">
        {amountText(view, swap.fromMint, swap.spentAmount)}
      </td>
      <td data-label="Bought" className="number">
        {amountText(view, swap.toMint, swap.receivedAmount)}
      </td>
      <td data-label="Worth" className="number">{`$${formatAmount(swap.worthMicroUsd, 6)}`}</td>
      <td data-label="Lost" className="number">
        {`$${formatAmount(swap.lossMicroUsd, 6)}`}
        <small>{swap.worthMicroUsd === 0n ? '' : `slippage ${formatBps(shareBps(swap.lossMicroUsd, swap.worthMicroUsd))}`}</small>
      </td>
      <td data-label="Signature">
        <Address value={swap.signature} label="signature" />
      </td>
    </tr>
  )
}

function Table({ past, view, nowTs }: { past: PastSwaps; view: View; nowTs: number }) {
  if (past.swaps.length === 0) return <Empty>Nothing was swapped in the newest transactions.</Empty>
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Past swaps">
      <table className="swaps stacks">
        <thead>
          <tr>
            {['When', 'Sold', 'Bought', 'Worth', 'Lost', 'Signature'].map((name, at) => (
              <th scope="col" key={name} className={at > 0 && at < 5 ? 'number' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {past.swaps.map((swap) => (
            <Row key={`${swap.signature} ${swap.fromMint}`} swap={swap} view={view} nowTs={nowTs} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** The newest swaps, as the program told of them: what went in and out, and what it cost by the oracles’ prices. */
export function Swaps({ answer, failure, view, nowTs }: SwapsProps) {
  const past = answer?.past ?? null
  return (
    <Panel title="Past swaps" note="Rebalances and liquidations through a route. What a route loses in a liquidation is the liquidator’s loss, and is told as none.">
      {answer === null ? (
        <Reading what="the past swaps" failure={failure} />
      ) : past === null ? (
        <Empty>The keeper that serves this page passes nothing on to the chain, and keeps no list of swaps.</Empty>
      ) : (
        <>
          <OldNews failure={failure} />
          <Table past={past} view={view} nowTs={nowTs} />
          {past.untold > 0 && <p className="quiet padded">{`Of ${formatCount(past.untold)} further transactions the endpoint doesn’t have the logs.`}</p>}
        </>
      )}
    </Panel>
  )
}
