import type { ReactNode } from 'react'
import { Address } from '@/components/ui/Address'
import { Countdown } from '@/components/ui/Countdown'
import { Icon, type IconName } from '@/components/ui/Icon'
import { Moves } from '@/features/changes/components/Moves'
import type { Guard, PendingChange } from '@/generated'
import type { Held } from '@/lib/accounts'
import { formatBps } from '@/lib/amount'
import { type Stage, type Targets, currentOf, directionText, effectText, groupName, movesOf, nextOf, ripeTs, stageOf } from '@/lib/change'
import { contextOf, spellingOf } from '@/lib/field'
import { nameOfTarget } from '@/lib/names'
import type { View } from '@/lib/schema/view'
import { elapsedShare, formatAgo } from '@/lib/time'

const STAGES: Record<Stage, { word: string; icon: IconName; state: string }> = {
  waiting: { word: 'Waiting', icon: 'clock', state: 'limited' },
  ripe: { word: 'May be executed', icon: 'bolt', state: 'closed' },
  expired: { word: 'Over: its window has passed', icon: 'cross', state: 'quiet' },
  void: { word: 'Void: the roles have changed since', icon: 'cross', state: 'quiet' },
}

function Times({ change, guard, nowTs }: { change: PendingChange; guard: Guard; nowTs: number }) {
  const [proposed, ripe, end] = [Number(change.proposedAtTs), ripeTs(change, guard), Number(change.expiresAtTs)]
  const mark = elapsedShare(proposed, end, ripe) * 100
  return (
    <div className="change-times">
      <span className="span-bar" data-tone={nowTs >= ripe ? 'alarm' : 'watch'} aria-hidden="true">
        <span className="span-bar-fill" style={{ inlineSize: `${elapsedShare(proposed, end, nowTs) * 100}%` }} />
        <span className="span-bar-mark" style={{ insetInlineStart: `${mark}%` }} />
      </span>
      <dl className="cause-times">
        <div>
          <dt>Proposed</dt>
          <dd>{formatAgo(proposed, nowTs)}</dd>
        </div>
        <div>
          <dt>May be executed in</dt>
          <dd>
            <Countdown ts={ripe} nowTs={nowTs} over="open now" />
          </dd>
        </div>
        <div>
          <dt>Dead after</dt>
          <dd>
            <Countdown ts={end} nowTs={nowTs} over="over" />
          </dd>
        </div>
      </dl>
    </div>
  )
}

interface ChangeCardProps {
  change: Held<PendingChange>
  guard: Guard
  targets: Targets
  view: View
  nowTs: number
  children?: ReactNode
}

/** One change that waits: what, why it waits, until when, and what execution tries first. */
export function ChangeCard({ change, guard, targets, view, nowTs, children }: ChangeCardProps) {
  const { value, address } = change
  const stage = STAGES[stageOf(value, guard, nowTs)]
  const direction = directionText(value.direction)
  const spelling = spellingOf(contextOf(view, value.target, targets), currentOf(value.group, targets, value.target), nextOf(value))
  const title = `${groupName(value.group)} of ${nameOfTarget(view, targets, value.target)}`
  return (
    <article className="change" aria-label={title}>
      <header>
        <h3>{title}</h3>
        <span className="pass" data-state={stage.state}>
          <Icon name={stage.icon} size={16} /> {stage.word}
        </span>
        <Address value={address} label="address of the change" />
      </header>
      <div className="change-body">
        <div>
          <Moves {...movesOf(value, targets)} spelling={spelling} />
        </div>
        <div className="change-side">
          <Times change={value} guard={guard} nowTs={nowTs} />
          <dl className="why">
            <div>
              <dt>{direction.word}</dt>
              <dd>{direction.why}</dd>
            </div>
            <div>
              <dt>Tried at execution</dt>
              <dd>{`${effectText(value.group)} The bound is ${formatBps(guard.bounds.maxEffectBps)}. The value must still be the one it was prepared against.`}</dd>
            </div>
          </dl>
        </div>
      </div>
      {children}
    </article>
  )
}
