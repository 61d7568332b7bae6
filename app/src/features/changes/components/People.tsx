import { Address } from '@/components/ui/Address'
import { Panel } from '@/components/ui/Panel'
import type { Guard } from '@/generated'
import { formatBps } from '@/lib/amount'
import { formatSpan } from '@/lib/time'

function Role({ name, may, keys }: { name: string; may: string; keys: readonly string[] }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {keys.map((key) => (
          <Address key={key} value={key} label={name} />
        ))}
        <small>{may}</small>
      </dd>
    </div>
  )
}

/** `Finality::Open`; anything else counts as frozen. */
const OPEN = 1

/** Who may do what with a change, and the bounds of the guard. */
export function People({ guard }: { guard: Guard }) {
  const { roles, bounds } = guard
  const guardians = roles.guardians.slice(0, roles.guardianCount)
  return (
    <Panel title="Who decides" note={guard.finality === OPEN ? undefined : 'Frozen: nothing can be loosened any more.'}>
      <dl className="pairs people">
        <Role name="Root" may="proposes and cancels" keys={[roles.root]} />
        <Role name="Vetoer" may="vetoes, but not a change of the own role" keys={[roles.vetoer]} />
        <Role name={`Guardians, quorum ${roles.guardianQuorum} of ${roles.guardianCount}`} may="each pauses for a bounded time, and may veto, but not a change of the own role" keys={guardians} />
        <Role name="Risk admin" may="tightens at once, as root may" keys={[roles.riskAdmin]} />
        <Role name="Resetter" may="ends pauses early, and causes that are proved clear" keys={[roles.resetter]} />
        <div>
          <dt>Delay of a loosening</dt>
          <dd>
            {formatSpan(guard.loosenDelaySecs)}
            <small>{`never below ${formatSpan(bounds.minLoosenDelaySecs)}`}</small>
          </dd>
        </div>
        <div>
          <dt>Bound on the effect</dt>
          <dd>
            {formatBps(bounds.maxEffectBps)}
            <small>of what a change moves, at most</small>
          </dd>
        </div>
      </dl>
    </Panel>
  )
}
