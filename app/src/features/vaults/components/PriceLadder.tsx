import { Icon } from '@/components/ui/Icon'
import { Empty } from '@/components/ui/Panel'
import type { Asset as AssetAccount } from '@/generated'
import { type Band, bandsOf } from '@/lib/bands'
import { formatGap, formatUsd, gapBps } from '@/lib/price'
import { reasonText } from '@/lib/reason'
import type { Asset, View } from '@/lib/schema/view'

function Row({ band, mid }: { band: Band; mid: string | null }) {
  const gap = mid === null || band.kind === 'price' ? null : gapBps(band.price, mid)
  return (
    <tr data-kind={band.kind}>
      <th scope="row">
        {band.kind === 'rule' && <Icon name="bolt" size={14} />}
        {band.name}
        {band.kind === 'rule' && <small>true from here</small>}
      </th>
      <td className="number">{formatUsd(band.price)}</td>
      <td className="number">{gap === null ? '' : formatGap(gap)}</td>
    </tr>
  )
}

/** An asset's price among what it is compared with and where its rules become true, highest first. */
export function PriceLadder({ asset, view, account }: { asset: Asset; view: View; account: AssetAccount | undefined }) {
  const { price } = asset
  const bands = bandsOf(asset, view.rules, account)
  const mid = price.state === 'indeterminate' ? null : price.mid
  return (
    <div className="ladder">
      <h3>{`${asset.symbol}, USD`}</h3>
      {price.state === 'indeterminate' && (
        <p className="tile-unknown">
          <Icon name="unknown" /> {`No agreed price: ${price.reason === null ? 'not read yet' : reasonText(price.reason)}`}
        </p>
      )}
      {bands.length === 0 ? (
        <Empty>Nothing is known of its price yet.</Empty>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col" className="number">
                Price
              </th>
              <th scope="col" className="number">
                From the price
              </th>
            </tr>
          </thead>
          <tbody>
            {bands.map((band) => (
              <Row key={band.key} band={band} mid={mid} />
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}
