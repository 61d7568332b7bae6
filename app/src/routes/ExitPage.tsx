import { OldNews, Reading } from '@/components/ui/Doubt'
import { Empty, Panel } from '@/components/ui/Panel'
import { OwnerForm } from '@/features/exit/components/OwnerForm'
import { Act } from '@/features/act/components/Act'
import { Outcomes } from '@/features/act/components/Outcomes'
import { PositionCard } from '@/features/exit/components/PositionCard'
import { TicketActions } from '@/features/exit/components/TicketActions'
import { type Ordered, TicketForm } from '@/features/exit/components/TicketForm'
import { WithdrawForm } from '@/features/exit/components/WithdrawForm'
import { useAccounts, usePositions } from '@/features/live/api/useAccounts'
import type { Asset } from '@/generated'
import { type Held, KINDS } from '@/lib/accounts'
import type { Case } from '@/lib/exit'
import { contextOf } from '@/lib/field'
import { symbolOf } from '@/lib/names'
import type { View } from '@/lib/schema/view'
import { LENT } from '@/lib/ticket'
import type { PageProps } from '@/routes/Page'

/** One position with what its owner can do. */
function Owned({ address, found, view, assets }: { address: string; found: Case; view: View; assets: readonly Held<Asset>[] | null }) {
  const { vault } = found
  const [loan, collateral] = [vault.loan_asset, vault.collateral_asset].map((at) => ({ symbol: symbolOf(view, at), held: assets?.find((one) => one.address === at) }))
  const act: Ordered = (order) => <Act {...order} contextOf={() => contextOf(view, vault.address)} />
  const [lent, held] = [loan?.symbol ?? '', collateral?.symbol ?? '']
  return (
    <PositionCard
      address={address}
      found={found}
      view={view}
      withdraw={<WithdrawForm found={found} symbol={lent} loan={loan?.held} act={act} />}
      queue={<TicketForm found={found} loan={lent} collateral={held} act={act} />}
      actions={(ticket, stage, worth) => <TicketActions found={found} ticket={ticket} stage={stage} worth={worth} asset={ticket.ticket.side === LENT ? loan?.held : collateral?.held} act={act} />}
    />
  )
}

function Found({ live, view, owner }: { owner: string } & Pick<PageProps, 'live' | 'view'>) {
  const positions = usePositions(owner)
  const vaults = useAccounts(KINDS.vault)
  const assets = useAccounts(KINDS.asset)
  if (positions.value === null || vaults.value === null) return <Reading what="the positions" failure={positions.failure ?? vaults.failure} />
  const cases = positions.value.flatMap(({ address, value }) => {
    const account = vaults.value?.find((held) => held.address === (value.vault as string))?.value
    const vault = view.vaults.find((known) => known.address === (value.vault as string))
    return account === undefined || vault === undefined ? [] : [{ address, found: { position: value, account, vault, nowTs: live.nowTs } }]
  })
  return (
    <>
      <OldNews failure={positions.failure ?? vaults.failure} />
      {cases.length === 0 && <Empty>This address has no position in any vault of this guard.</Empty>}
      {cases.map(({ address, found }) => (
        <Owned key={address} address={address} found={found} view={view} assets={assets.value} />
      ))}
    </>
  )
}

/** A lender's or borrower's own view: what can leave now, what is queued, and until when at the latest. */
export function ExitPage({ live, view, item }: PageProps) {
  return (
    <div className="stack narrow">
      <h1>Exit</h1>
      <Outcomes />
      <Panel title="What can I take out?" note="No level below Resolution can hold the exit floor back, and every pause ends by itself.">
        <OwnerForm key={item} owner={item} />
      </Panel>
      {item !== null && <Found live={live} view={view} owner={item} />}
    </div>
  )
}
