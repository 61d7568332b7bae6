import { Countdown } from '@/components/ui/Countdown'
import { formatAmount } from '@/lib/amount'
import type { Claims, Out } from '@/lib/exit'

interface OutPanelProps {
  title: string
  out: Out
  decimals: number
  symbol: string
  /** Chain time now, unix seconds. */
  nowTs: number
}

/** When claims are paid, and from when anybody may have them paid. */
function ClaimTimes({ claims, nowTs }: { claims: Claims; nowTs: number }) {
  return (
    <dl className="cause-times">
      <div>
        <dt>Claims open</dt>
        <dd>
          <Countdown ts={claims.openTs} nowTs={nowTs} over="open" />
        </dd>
      </div>
      <div>
        <dt>Anybody may have them paid</dt>
        <dd>
          <Countdown ts={claims.forcedTs} nowTs={nowTs} over="now" />
        </dd>
      </div>
    </dl>
  )
}

/** What can be taken out now, and which bound is the narrowest. */
export function OutPanel({ title, out, decimals, symbol, nowTs }: OutPanelProps) {
  const text = (amount: bigint) => `${formatAmount(amount, decimals, 4)} ${symbol}`
  return (
    <section className="out" aria-label={title}>
      <h3>{title}</h3>
      <p className="out-now">
        <span className="quiet">At most now</span>
        <strong className="number">{text(out.now)}</strong>
        <span className="quiet number">{`of ${text(out.held)}${out.queued > 0n ? `, ${text(out.queued)} of it queued` : ''}`}</span>
      </p>
      <ol className="bounds">
        {out.bounds.map((bound, index) => (
          <li key={bound.name} data-binds={index === 0}>
            <span>
              {bound.name}
              {index === 0 && <small>this binds</small>}
            </span>
            <span className="number">{text(bound.amount)}</span>
          </li>
        ))}
      </ol>
      {out.claims !== null && <ClaimTimes claims={out.claims} nowTs={nowTs} />}
      <p className="quiet">{`Not counted: ${out.uncounted.join('; ')}.`}</p>
    </section>
  )
}
