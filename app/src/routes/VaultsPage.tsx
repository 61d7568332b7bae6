import { Address } from '@/components/ui/Address'
import { LevelWord } from '@/components/ui/level'
import { Empty, Panel } from '@/components/ui/Panel'
import { AssetCard } from '@/features/assets/components/AssetCard'
import { Caps } from '@/features/vaults/components/Caps'
import { Crossings } from '@/features/vaults/components/Crossings'
import { Histogram } from '@/features/vaults/components/Histogram'
import { Limiters } from '@/features/vaults/components/Limiters'
import { Numbers } from '@/features/vaults/components/Numbers'
import { Positions } from '@/features/vaults/components/Positions'
import { PriceLadder } from '@/features/vaults/components/PriceLadder'
import { VaultPicker } from '@/features/vaults/components/VaultPicker'
import { useAccounts, useRows } from '@/features/live/api/useAccounts'
import { KINDS } from '@/lib/accounts'
import { causesOfVault } from '@/lib/cause'
import { formatBps } from '@/lib/amount'
import { indexOf } from '@/lib/exit'
import { levelText } from '@/lib/level'
import { symbolOf } from '@/lib/names'
import type { Vault, View } from '@/lib/schema/view'
import { formatAgo } from '@/lib/time'
import type { PageProps } from '@/routes/Page'

function Head({ vault, view, nowTs }: { vault: Vault; view: View; nowTs: number }) {
  const [cause] = causesOfVault(view, vault)
  return (
    <header className="vault-head" data-level={vault.level}>
      <div>
        <h1>{vault.name}</h1>
        <Address value={vault.address} label="vault address" />
      </div>
      <LevelWord level={vault.level} size="tile" />
      <p>
        {cause === undefined ? levelText(vault.level).meaning : `${cause.rule_name} was proved true ${formatAgo(cause.tripped_at_ts, nowTs)} on ${cause.scope}.`}
        {vault.exit_level !== vault.level && ` Exits and liquidations run at ${levelText(vault.exit_level).name}.`}
      </p>
    </header>
  )
}

function Loaded({ vault, view, live }: { vault: Vault } & Pick<PageProps, 'view' | 'live'>) {
  const [loan, collateral] = [symbolOf(view, vault.loan_asset), symbolOf(view, vault.collateral_asset)]
  const assets = view.assets.filter(({ address }) => address === vault.collateral_asset || address === vault.loan_asset)
  const rows = useRows(vault.address)
  const vaults = useAccounts(KINDS.vault)
  const accounts = useAccounts(KINDS.asset)
  const account = vaults.value?.find((held) => held.address === vault.address)
  return (
    <>
      <Head vault={vault} view={view} nowTs={live.nowTs} />
      <div className="halves">
        <Panel title="Books">
          <div className="padded">
            <Numbers vault={vault} loan={loan} collateral={collateral} />
          </div>
        </Panel>
        <Panel title="Utilisation and caps">
          <Caps vault={vault} loan={loan} collateral={collateral} />
        </Panel>
        <Panel title="Exits" note={`Whatever the level below Resolution, ${formatBps(vault.exit_floor_bps)} of a position may leave each day.`}>
          <div className="padded">
            <Limiters vault={vault} loan={loan} collateral={collateral} />
          </div>
        </Panel>
        <Panel title="Positions by loan to value">
          <div className="padded">
            <Histogram vault={vault} symbol={loan} />
          </div>
        </Panel>
      </div>
      <Panel title="Who is liquidated at which price">
        <Crossings vault={vault} loan={loan} collateral={collateral} />
      </Panel>
      <Panel title="Positions">
        <Positions
          vault={vault}
          index={account === undefined ? null : indexOf(account.value, vault)}
          answer={rows.value}
          failure={rows.failure ?? vaults.failure}
          loan={loan}
          collateral={collateral}
        />
      </Panel>
      <Panel title="Prices and the lines around them">
        <div className="ladders">
          {assets.map((asset) => (
            <PriceLadder key={asset.address} asset={asset} view={view} account={accounts.value?.find((held) => held.address === asset.address)?.value} />
          ))}
        </div>
      </Panel>
      <Panel title="Sources">
        <div className="asset-grid">
          {assets.map((asset) => (
            <AssetCard key={asset.address} asset={asset} samples={live.series[asset.address] ?? []} />
          ))}
        </div>
      </Panel>
    </>
  )
}

/** One vault: prices with their lines, limits, caps and positions. */
export function VaultsPage({ live, view, item }: PageProps) {
  const vault = item === null ? view.vaults[0] : view.vaults.find(({ address }) => address === item)
  return (
    <div className="stack">
      <VaultPicker vaults={view.vaults} shown={vault?.address ?? null} />
      {vault === undefined ? (
        <Panel title="Vaults">
          <Empty>{view.vaults.length === 0 ? 'This guard has no vaults yet.' : 'This guard has no such vault.'}</Empty>
        </Panel>
      ) : (
        <Loaded key={vault.address} vault={vault} view={view} live={live} />
      )}
    </div>
  )
}
