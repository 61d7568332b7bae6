import { Address } from '@/components/ui/Address'
import { Meter } from '@/components/ui/Meter'
import { Empty, Panel } from '@/components/ui/Panel'
import type { SwapPolicy } from '@/generated'
import type { Held } from '@/lib/accounts'
import { formatAmount, formatBps, formatCount, shareBps } from '@/lib/amount'
import { lastDay } from '@/lib/chain/flow'
import { formatAgo } from '@/lib/time'

const usd = (micro: bigint): string => `$${formatAmount(micro, 6)}`

function Budget({ name, used, limit }: { name: string; used: bigint; limit: bigint }) {
  const share = shareBps(used, limit) / 10_000
  const text = `${usd(used)} of ${usd(limit)}`
  return (
    <div className="budget">
      <p>{name}</p>
      <Meter label={name} share={share} text={text} tone={share >= 0.9 ? 'alarm' : share >= 0.6 ? 'watch' : 'plain'} />
      <small className="number">{text}</small>
    </div>
  )
}

function Policy({ policy, nowTs }: { policy: Held<SwapPolicy>; nowTs: number }) {
  const { params, swapped, lost, counter, lostMicroUsd, swappedMicroUsd, rebalancedAtTs } = policy.value
  const slippage = swappedMicroUsd === 0n ? null : shareBps(lostMicroUsd, swappedMicroUsd)
  return (
    <article className="policy" aria-label={`Swap policy ${policy.value.id}`}>
      <header>
        <h3>{`Policy ${policy.value.id}`}</h3>
        <span className="quiet">{params.switch === 2 ? 'on' : 'off'}</span>
        <Address value={params.program} label="program that swaps" />
      </header>
      <div className="budgets">
        <Budget name="Swapped, last day" used={lastDay(swapped, nowTs)} limit={params.maxDayMicroUsd} />
        <Budget name="Lost, last day" used={lastDay(lost, nowTs)} limit={params.lossDayMicroUsd} />
      </div>
      <dl className="pairs numbers">
        <div>
          <dt>Swaps so far</dt>
          <dd className="number">{formatCount(counter)}</dd>
        </div>
        <div>
          <dt>Swapped so far</dt>
          <dd className="number">{usd(swappedMicroUsd)}</dd>
        </div>
        <div>
          <dt>Lost so far</dt>
          <dd className="number">
            {usd(lostMicroUsd)}
            <small>{slippage === null ? '' : `${formatBps(slippage)} of what was swapped`}</small>
          </dd>
        </div>
        <div>
          <dt>Slippage, at most</dt>
          <dd className="number">{formatBps(params.maxSlippageBps)}</dd>
        </div>
        <div>
          <dt>Size of a swap, at most</dt>
          <dd className="number">{usd(params.maxSwapMicroUsd)}</dd>
        </div>
        <div>
          <dt>Last rebalance</dt>
          <dd>{rebalancedAtTs === 0n ? 'never' : formatAgo(Number(rebalancedAtTs), nowTs)}</dd>
        </div>
      </dl>
    </article>
  )
}

/** What swaps are allowed, and what they have cost. */
export function Policies({ policies, nowTs }: { policies: readonly Held<SwapPolicy>[]; nowTs: number }) {
  return (
    <Panel title="Swaps" note="Each swap is held to the oracles’ price; what it loses is taken from a budget of the day.">
      {policies.length === 0 && <Empty>No swap policy is set: the reserve can’t be rebalanced.</Empty>}
      {policies.map((policy) => (
        <Policy key={policy.address} policy={policy} nowTs={nowTs} />
      ))}
    </Panel>
  )
}
