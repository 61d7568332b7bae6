import { Address } from '@/components/ui/Address'
import { LevelBadge } from '@/components/ui/level'
import { Empty, Panel } from '@/components/ui/Panel'
import { Histogram } from '@/features/vaults/components/Histogram'
import { Limiters } from '@/features/vaults/components/Limiters'
import { Numbers } from '@/features/vaults/components/Numbers'
import type { Vault, View } from '@/lib/schema/view'

function VaultCard({ vault, view }: { vault: Vault; view: View }) {
  const symbol = (address: string) => view.assets.find((asset) => asset.address === address)?.symbol ?? 'tokens'
  const [loan, collateral] = [symbol(vault.loan_asset), symbol(vault.collateral_asset)]
  return (
    <article className="vault" aria-label={vault.name}>
      <header>
        <h3>{vault.name}</h3>
        <LevelBadge level={vault.level} />
        <Address value={vault.address} label="vault address" />
      </header>
      <div className="vault-body">
        <Numbers vault={vault} loan={loan} collateral={collateral} />
        <Limiters vault={vault} loan={loan} collateral={collateral} />
        <Histogram vault={vault} symbol={loan} />
      </div>
    </article>
  )
}

/** All vaults with their money, limits and positions. */
export function Vaults({ view }: { view: View }) {
  return (
    <Panel title="Vaults">
      {view.vaults.length === 0 && <Empty>This guard has no vaults yet.</Empty>}
      {view.vaults.map((vault) => (
        <VaultCard key={vault.address} vault={vault} view={view} />
      ))}
    </Panel>
  )
}
