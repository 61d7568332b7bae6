import { OldNews, Reading } from '@/components/ui/Doubt'
import { Empty, Panel } from '@/components/ui/Panel'
import { useAccounts } from '@/features/live/api/useAccounts'
import { useSwaps } from '@/features/live/api/useSwaps'
import { Basket } from '@/features/reserve/components/Basket'
import { Policies } from '@/features/reserve/components/Policies'
import { Swaps } from '@/features/reserve/components/Swaps'
import { Weights } from '@/features/reserve/components/Weights'
import { KINDS } from '@/lib/accounts'
import { basketOf, goalOf } from '@/lib/basket'
import type { PageProps } from '@/routes/Page'

function Loaded({ live, view }: Pick<PageProps, 'live' | 'view'>) {
  const reserves = useAccounts(KINDS.reserve)
  const policies = useAccounts(KINDS.policy)
  const known = policies.value ?? []
  const counter = known.reduce((sum, { value }) => sum + value.counter, 0n)
  const swaps = useSwaps(known.map(({ address }) => address), counter)
  const failure = reserves.failure ?? policies.failure
  if (reserves.value === null || policies.value === null) {
    return (
      <Panel title="Reserve">
        <Reading what="the reserve" failure={failure} />
      </Panel>
    )
  }
  const reserve = reserves.value[0]?.value
  const slices = reserve === undefined ? [] : basketOf(reserve, view)
  const goal = reserve === undefined ? null : goalOf(reserve, view)
  return (
    <>
      <OldNews failure={failure} />
      {reserve === undefined || goal === null ? (
        <Panel title="Reserve">
          <Empty>This guard has no reserve: bad debt falls on the lenders of its vault.</Empty>
        </Panel>
      ) : (
        <>
          <Basket slices={slices} goal={goal} minimum={reserve.plan.minImprovementBps} />
          <Weights slices={slices} weights={reserve.plan.weightsBps} level={goal.level} isLed={goal.state === 'followed' || goal.state === 'to_quote'} />
        </>
      )}
      <Policies policies={policies.value} nowTs={live.nowTs} />
      {policies.value.length > 0 && <Swaps answer={swaps.value} failure={swaps.failure} view={view} nowTs={live.nowTs} />}
    </>
  )
}

/** The reserve: what it holds, what it should hold, and what swaps have cost. */
export function ReservePage({ live, view }: PageProps) {
  return (
    <div className="stack">
      <h1>Reserve</h1>
      <Loaded live={live} view={view} />
    </div>
  )
}
