import { useState } from 'react'
import { Icon, type IconName } from '@/components/ui/Icon'
import { Empty, Panel } from '@/components/ui/Panel'
import { formatCount } from '@/lib/amount'
import { accountUrl, transactionUrl } from '@/lib/explorer'
import { shortAddress } from '@/lib/names'
import type { Kept } from '@/lib/schema/kept'
import type { Event } from '@/lib/schema/view'
import { formatAgo, formatClock } from '@/lib/time'
import { EVENT_GROUPS, type EventGroup, type Tone, eventKey, groupOf, kindText, originOf, toneOf } from '@/lib/timeline'

const ICONS: Record<EventGroup, IconName> = {
  levels: 'bolt',
  positions: 'drop',
  transactions: 'arrow',
  governance: 'shield',
  keeper: 'link',
}
const FIRST = 8

function iconOf(kind: string, tone: Tone): IconName {
  if (tone === 'good') return 'check'
  if (kind.startsWith('transaction_') && tone === 'alarm') return 'cross'
  return ICONS[groupOf(kind)]
}

/** The transaction that an event is about; a link where an explorer shows its chain. */
function Transaction({ signature, genesis }: { signature: string; genesis: string | null }) {
  const url = transactionUrl(genesis, signature)
  const text = `transaction ${shortAddress(signature)}`
  if (url === null) return <span title={signature}>{text}</span>
  return (
    <a className="link" href={url} target="_blank" rel="noopener noreferrer" title={signature}>
      {text}
    </a>
  )
}

/** The account whose change told of an event: whose transaction it was isn’t known. */
function Account({ address, what, genesis }: { address: string; what: string; genesis: string | null }) {
  const url = accountUrl(genesis, address)
  if (url === null) return <span title={address}>{`${what} ${shortAddress(address)}`}</span>
  return (
    <a className="link" href={url} target="_blank" rel="noopener noreferrer" title={address}>
      {`account of the ${what} in the explorer`}
    </a>
  )
}

function Where({ event, decisions, genesis }: Pick<TimelineProps, 'decisions' | 'genesis'> & { event: Event }) {
  const origin = originOf(event, decisions)
  if (origin === null) return null
  return (
    <>
      {', '}
      {'signature' in origin ? <Transaction signature={origin.signature} genesis={genesis} /> : <Account address={origin.account} what={origin.what} genesis={genesis} />}
    </>
  )
}

function Fact({ event, nowTs, genesis, decisions }: Pick<TimelineProps, 'decisions' | 'genesis' | 'nowTs'> & { event: Event }) {
  const tone = toneOf(event.kind)
  return (
    <li className="fact" data-tone={tone}>
      <Icon name={iconOf(event.kind, tone)} size={15} />
      <div>
        <p className="fact-kind">{kindText(event.kind)}</p>
        <p>{event.text}</p>
        <p className="quiet number">
          <time dateTime={new Date(event.ts * 1_000).toISOString()}>{formatClock(event.ts)}</time>
          {`, ${formatAgo(event.ts, nowTs)}${event.slot === null ? '' : `, slot ${formatCount(event.slot)}`}`}
          <Where event={event} decisions={decisions} genesis={genesis} />
        </p>
      </div>
    </li>
  )
}

function Filter({ group, onGroup }: { group: EventGroup | null; onGroup: (group: EventGroup | null) => void }) {
  return (
    <div className="chips" role="group" aria-label="Show events of">
      {[null, ...EVENT_GROUPS].map((choice) => (
        <button
          type="button"
          key={choice ?? 'all'}
          className="chip"
          aria-pressed={group === choice}
          onClick={() => {
            onGroup(choice)
          }}
        >
          {kindText(choice ?? 'all')}
        </button>
      ))}
    </div>
  )
}

interface TimelineProps {
  /** Newest first. */
  events: readonly Event[]
  /** Whether the stream is open; null before the first answer. */
  isOpen: boolean | null
  /** Host time now, unix seconds. */
  nowTs: number
  /** Whether anybody tells of events: without a keeper nobody does. */
  isTold: boolean
  /** Hash of the chain's first block; null while it isn't known. */
  genesis: string | null
  /** What this keeper meant to do and what became of it, as far as it is kept. */
  decisions: readonly Kept[]
}

/** What has happened, newest first. */
export function Timeline({ events, isOpen, nowTs, isTold, genesis, decisions }: TimelineProps) {
  const [group, setGroup] = useState<EventGroup | null>(null)
  const [isLong, setIsLong] = useState(false)
  const matching = events.filter(({ kind }) => group === null || groupOf(kind) === group)
  const shown = isLong ? matching : matching.slice(0, FIRST)
  if (!isTold) {
    return (
      <Panel title="Timeline" className="timeline">
        <Empty>A keeper tells what happened, and none serves this page.</Empty>
      </Panel>
    )
  }
  return (
    <Panel title="Timeline" note={isOpen === false ? 'Event stream is closed; trying again.' : undefined} className="timeline">
      <Filter group={group} onGroup={setGroup} />
      {shown.length === 0 && <Empty>{events.length === 0 ? 'Nothing has happened yet.' : 'No events of this sort.'}</Empty>}
      <ol className="facts">
        {shown.map((event) => (
          <Fact key={eventKey(event)} event={event} nowTs={nowTs} genesis={genesis} decisions={decisions} />
        ))}
      </ol>
      {matching.length > FIRST && (
        <button
          type="button"
          className="quiet-button"
          onClick={() => {
            setIsLong(!isLong)
          }}
        >
          {isLong ? 'Show fewer' : `Show all ${matching.length}`}
        </button>
      )}
    </Panel>
  )
}
