import { Icon } from '@/components/ui/Icon'
import { formatBps } from '@/lib/amount'
import { formatUsd } from '@/lib/price'
import { reasonText } from '@/lib/reason'
import type { PriceSource } from '@/lib/schema/view'

const KINDS: Record<string, string> = { pyth: 'Pyth', switchboard: 'Switchboard' }

const STATES: Record<PriceSource['state'], string> = { ok: 'ok', stale: 'too old', wide: 'too wide', invalid: 'invalid' }

function facts(source: PriceSource): string {
  const width = source.confidence_bps === null ? null : `± ${formatBps(source.confidence_bps)}`
  const age = source.age_secs === null ? null : `${source.age_secs} s old`
  return [width, age].filter((fact) => fact !== null).join(', ')
}

/** What each oracle says, and whether it counts. */
export function SourceList({ sources }: { sources: readonly PriceSource[] }) {
  return (
    <ul className="sources">
      {sources.map((source, index) => (
        // Sources have a fixed order: the oracle set's.
        <li key={index} data-state={source.state}>
          <span className="pass" data-state={source.state === 'ok' ? 'open' : 'closed'}>
            <Icon name={source.state === 'ok' ? 'check' : 'cross'} size={14} />
            {KINDS[source.kind] ?? source.kind}
          </span>
          <span className="number">{source.price === null ? '–' : formatUsd(source.price)}</span>
          <span className="quiet">{facts(source)}</span>
          <span className={source.state === 'ok' ? 'quiet' : 'warn'}>
            {source.state === 'ok' ? '' : source.reason === null ? STATES[source.state] : reasonText(source.reason)}
          </span>
        </li>
      ))}
    </ul>
  )
}
