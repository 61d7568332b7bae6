import { useState } from 'react'
import { Address } from '@/components/ui/Address'
import { OldNews, Reading } from '@/components/ui/Doubt'
import { Icon } from '@/components/ui/Icon'
import { Empty, Panel } from '@/components/ui/Panel'
import { useMade } from '@/components/useMade'
import { type ActOn, PauseForm } from '@/features/pauses/components/PauseForm'
import type { Guard } from '@/generated'
import type { Held } from '@/lib/accounts'
import type { Targets } from '@/lib/change'
import type { Failure } from '@/lib/failure'
import { levelText } from '@/lib/level'
import { nameOfTarget } from '@/lib/names'
import { type Running, holderOf, liftInstruction, obstacleOfLift, runningPauses, scopesOf } from '@/lib/pause'
import type { View } from '@/lib/schema/view'
import { formatAgo, formatSpan } from '@/lib/time'

interface PausesProps {
  /** The guard's account; undefined until it was read. */
  guard: Held<Guard> | undefined
  targets: Targets
  view: View
  nowTs: number
  /** Why the accounts can't be read any more. */
  failure: Failure | null
  act: ActOn
}

type OfGuard = Omit<PausesProps, 'guard'> & { guard: Held<Guard> }

function Lift({ running, props: { guard, nowTs, act } }: { running: Running; props: OfGuard }) {
  const id = ['lift', running.scope, running.source, running.pausedAtTs, guard.value.authorityEpoch, guard.value.roles.resetter].join(' ')
  const instruction = useMade(id, () => Promise.resolve(liftInstruction(running, guard, nowTs)))
  return (
    <div className="act-form">
      <p>The resetter ends this pause now. Causes of rules and pauses of others stay, and nothing of the budget comes back.</p>
      {instruction !== null && act({ what: 'Resume', instructions: [instruction], authority: guard.value.roles.resetter })}
    </div>
  )
}

function Row({ running, props }: { running: Running; props: OfGuard }) {
  const { guard, targets, view, nowTs } = props
  const [isOpen, setIsOpen] = useState(false)
  const { scope, source, level, pausedAtTs, endsAtTs } = running
  const obstacle = obstacleOfLift(running, guard.value, nowTs)
  const where = scope === guard.address ? 'The whole guard' : nameOfTarget(view, targets, scope)
  return (
    <li className="pause">
      <p>
        <Icon name="caution" /> <strong>{`${where}: ${levelText(level).name}`}</strong>
        <span>{`paused by ${holderOf(running, guard)} ${formatAgo(pausedAtTs, nowTs)}; ends by itself in ${formatSpan(endsAtTs - nowTs)}`}</span>
        <Address value={source} label="key that paused" />
      </p>
      <div className="act">
        <div className="act-choices">
          <button
            type="button"
            className="button"
            aria-pressed={isOpen}
            disabled={obstacle !== null}
            onClick={() => {
              setIsOpen(!isOpen)
            }}
          >
            Resume early
          </button>
          {obstacle !== null && <span className="quiet">{obstacle}</span>}
        </div>
        {isOpen && obstacle === null && <Lift running={running} props={props} />}
      </div>
    </li>
  )
}

function OfGuards(props: OfGuard) {
  const { guard, targets, view, nowTs } = props
  const [isOpen, setIsOpen] = useState(false)
  const scopes = scopesOf(targets)
  const running = runningPauses(scopes, nowTs)
  return (
    <>
      {running.length === 0 ? (
        <Empty>No guardian pauses anything now.</Empty>
      ) : (
        <ul aria-label="Pauses in force">
          {running.map((one) => (
            <Row key={`${one.scope} ${one.source} ${one.pausedAtTs}`} running={one} props={props} />
          ))}
        </ul>
      )}
      <div className="padded">
        <button
          type="button"
          className="button"
          aria-pressed={isOpen}
          onClick={() => {
            setIsOpen(!isOpen)
          }}
        >
          Pause
        </button>
      </div>
      {isOpen && <PauseForm guard={guard} scopes={scopes} nameOf={(address) => nameOfTarget(view, targets, address)} nowTs={nowTs} act={props.act} />}
    </>
  )
}

/** What guardians hold up for a bounded time, how to end it early, and how to pause. */
export function Pauses({ guard, ...props }: PausesProps) {
  return (
    <Panel title="Pause or resume" note="A guardian acts at once, within a budget. What a rule tripped ends by itself or by a proof, not here.">
      {guard === undefined ? (
        <Reading what="pauses" failure={props.failure} />
      ) : (
        <>
          <OldNews failure={props.failure} />
          <OfGuards guard={guard} {...props} />
        </>
      )}
    </Panel>
  )
}
