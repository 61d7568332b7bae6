import { OldNews, Reading } from '@/components/ui/Doubt'
import { Empty, Panel } from '@/components/ui/Panel'
import { OwnerForm } from '@/features/exit/components/OwnerForm'
import { PositionCard } from '@/features/exit/components/PositionCard'
import { useAccounts, usePositions } from '@/features/live/api/useAccounts'
import { KINDS } from '@/lib/accounts'
import type { PageProps } from '@/routes/Page'

function Found({ live, view, owner }: { owner: string } & Pick<PageProps, 'live' | 'view'>) {
  const positions = usePositions(owner)
  const vaults = useAccounts(KINDS.vault)
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
        <PositionCard key={address} address={address} found={found} view={view} />
      ))}
    </>
  )
}

/** A lender's or borrower's own view: what can leave now, what is queued, and until when at the latest. */
export function ExitPage({ live, view, item }: PageProps) {
  return (
    <div className="stack narrow">
      <h1>Exit</h1>
      <Panel title="What can I take out?" note="No level below Resolution can hold the exit floor back, and every pause ends by itself.">
        <OwnerForm key={item} owner={item} />
      </Panel>
      {item !== null && <Found live={live} view={view} owner={item} />}
    </div>
  )
}
