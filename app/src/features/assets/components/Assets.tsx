import { Empty, Panel } from '@/components/ui/Panel'
import { AssetCard } from '@/features/assets/components/AssetCard'
import type { Sample, View } from '@/lib/schema/view'

/** Prices of all assets. */
export function Assets({ view, series }: { view: View; series: Readonly<Record<string, readonly Sample[]>> }) {
  return (
    <Panel title="Prices" className="assets">
      {view.assets.length === 0 && <Empty>No asset is registered yet.</Empty>}
      <div className="asset-grid">
        {view.assets.map((asset) => (
          <AssetCard key={asset.address} asset={asset} samples={series[asset.address] ?? []} />
        ))}
      </div>
    </Panel>
  )
}
