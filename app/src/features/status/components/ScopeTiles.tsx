import { Countdown } from '@/components/ui/Countdown'
import { Icon } from '@/components/ui/Icon'
import { LevelWall, LevelWord } from '@/components/ui/level'
import { allCauses, causesOfVault, fateOf, type HeldCause } from '@/lib/cause'
import { type Level, levelText } from '@/lib/level'
import type { View } from '@/lib/schema/view'
import { elapsedShare, formatAgo } from '@/lib/time'

/** A scope with its level and the causes behind it. */
interface Scope {
  name: string
  kind: string
  level: Level
  causes: HeldCause[]
  isPriceKnown: boolean
}

function scopesOf(view: View): Scope[] {
  const guardCauses = allCauses(view).filter(({ scope }) => scope === 'the guard')
  return [
    { name: 'Guard', kind: 'holds for every vault', level: view.guard.level, causes: guardCauses, isPriceKnown: true },
    ...view.vaults.map((vault) => ({
      name: vault.name,
      kind: 'vault',
      level: vault.level,
      causes: causesOfVault(view, vault),
      isPriceKnown: vault.price.state !== 'indeterminate',
    })),
  ]
}

function CauseRow({ cause, nowTs }: { cause: HeldCause; nowTs: number }) {
  const fate = fateOf(cause, nowTs)
  const mark = elapsedShare(cause.tripped_at_ts, fate.endsTs, fate.stepTs) * 100
  const share = elapsedShare(cause.tripped_at_ts, fate.endsTs, nowTs) * 100
  return (
    <li className="cause">
      <p>
        <strong>{cause.rule_name}</strong>
        <span className="quiet"> {`on ${cause.scope}, ${formatAgo(cause.tripped_at_ts, nowTs)}`}</span>
      </p>
      <span className="span-bar level-ink" data-level={cause.level} aria-hidden="true">
        <span className="span-bar-fill" style={{ inlineSize: `${share}%` }} />
        <span className="span-bar-mark" style={{ insetInlineStart: `${mark}%` }} />
      </span>
      <dl className="cause-times">
        <div>
          <dt>{nowTs < fate.stepTs ? `Step down to ${levelText(fate.stepsTo).name}, earliest in` : 'Step down'}</dt>
          <dd>
            <Countdown ts={fate.stepTs} nowTs={nowTs} over="possible once clear" />
          </dd>
        </div>
        <div>
          <dt>{`Falls to ${levelText(fate.endsAt).name} by itself in`}</dt>
          <dd>
            <Countdown ts={fate.endsTs} nowTs={nowTs} over="any moment" />
          </dd>
        </div>
      </dl>
    </li>
  )
}

function Tile({ scope, nowTs }: { scope: Scope; nowTs: number }) {
  return (
    <li className="tile" data-level={scope.level}>
      <h2>
        {scope.name} <span className="quiet">{scope.kind}</span>
      </h2>
      <div className="tile-level">
        <LevelWord level={scope.level} size="tile" />
        <LevelWall level={scope.level} />
      </div>
      {!scope.isPriceKnown && (
        <p className="tile-unknown">
          <Icon name="unknown" /> No agreed price
        </p>
      )}
      {scope.causes.length === 0 ? (
        <p className="quiet">{scope.level === 0 ? 'No cause in force.' : 'No cause listed.'}</p>
      ) : (
        <ul className="causes">
          {scope.causes.map((cause) => (
            <CauseRow key={`${cause.rule}:${cause.tripped_at_ts}`} cause={cause} nowTs={nowTs} />
          ))}
        </ul>
      )}
    </li>
  )
}

/** The level of the guard and of each vault, with the causes and how long they last. */
export function ScopeTiles({ view, nowTs }: { view: View; nowTs: number }) {
  return (
    <section aria-label="Levels">
      <ul className="tiles">
        {scopesOf(view).map((scope) => (
          <Tile key={`${scope.kind}:${scope.name}`} scope={scope} nowTs={nowTs} />
        ))}
      </ul>
    </section>
  )
}
