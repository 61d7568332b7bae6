import { Figure } from '@/components/ui/Figure'
import { Icon } from '@/components/ui/Icon'
import { LevelBadge } from '@/components/ui/level'
import { PriceChart } from '@/features/assets/components/PriceChart'
import { SampleTable } from '@/features/assets/components/SampleTable'
import { SourceList } from '@/features/assets/components/SourceList'
import { formatGap, formatUsd, gapBps } from '@/lib/price'
import { reasonText } from '@/lib/reason'
import type { Asset, Sample } from '@/lib/schema/view'
import { formatSpan } from '@/lib/time'

function PriceNow({ asset }: { asset: Asset }) {
  const { price } = asset
  const usable = price.sources.filter(({ state }) => state === 'ok').length
  const reason = price.reason === null ? 'not read yet' : reasonText(price.reason)
  if (price.state === 'indeterminate' || price.mid === null) {
    return (
      <p className="price price-unknown">
        <Icon name="unknown" size={22} />
        <span>
          No agreed price
          <small>{`${usable} of ${price.sources.length} sources usable, ${price.required} required; ${reason}`}</small>
        </span>
      </p>
    )
  }
  if (price.state === 'recorded') {
    return (
      <p className="price">
        <span className="number">{formatUsd(price.mid)}</span>
        <small>{`last recorded on chain, ${asset.reference.age_secs === null ? 'some time' : formatSpan(asset.reference.age_secs)} ago; nobody judges the sources here`}</small>
      </p>
    )
  }
  return (
    <p className="price">
      <span className="number">{formatUsd(price.mid)}</span>
      <small>{`${price.agreeing} sources agree, ${price.required} required`}</small>
    </p>
  )
}

function Against({ name, value, mid }: { name: string; value: string | null; mid: string | null }) {
  const gap = value === null || mid === null ? null : gapBps(mid, value)
  return (
    <div>
      <dt>{name}</dt>
      <dd className="number">
        {value === null ? '–' : formatUsd(value)}
        {gap !== null && <small>{formatGap(gap)}</small>}
      </dd>
    </div>
  )
}

function referenceName({ reference }: Asset): string {
  const age = reference.age_secs === null ? '' : `, ${formatSpan(reference.age_secs)} old`
  return reference.is_warm ? `Reference${age}` : `Reference, still warming up${age}`
}

/** One asset: price, reference, band, and what each source says. */
export function AssetCard({ asset, samples }: { asset: Asset; samples: readonly Sample[] }) {
  const mid = asset.price.state === 'indeterminate' ? null : asset.price.mid
  return (
    <article className="asset" aria-label={asset.symbol}>
      <header>
        <h3>{asset.symbol}</h3>
        <LevelBadge level={asset.level} />
      </header>
      <div className="asset-now">
        <PriceNow asset={asset} />
        <dl className="pairs">
          <Against name={referenceName(asset)} value={asset.reference.price} mid={mid} />
          <Against name="High of the window" value={asset.window_high} mid={mid} />
        </dl>
      </div>
      <Figure
        caption="Price, reference (dashed) and confidence band, USD"
        chart={<PriceChart samples={samples} label={`${asset.symbol}: price chart. A table has the same values.`} />}
        table={<SampleTable samples={samples} name={asset.symbol} />}
      />
      <SourceList sources={asset.price.sources} />
    </article>
  )
}
