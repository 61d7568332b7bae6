import { Countdown } from '@/components/ui/Countdown'
import { Icon } from '@/components/ui/Icon'
import { LevelWall, LevelWord } from '@/components/ui/level'
import { fateOf } from '@/lib/cause'
import { type Level, levelText } from '@/lib/level'
import type { View } from '@/lib/schema/view'
import { mainCause, summarise } from '@/lib/summary'

/** When the level falls, by itself and at the earliest. */
function Outlook({ view, level, nowTs }: { view: View; level: Level; nowTs: number }) {
  const cause = mainCause(view, level)
  if (cause === null) return null
  const fate = fateOf(cause, nowTs)
  return (
    <dl className="outlook">
      <div>
        <dt>{`Earliest step down to ${levelText(fate.stepsTo).name}`}</dt>
        <dd>
          <Countdown ts={fate.stepTs} nowTs={nowTs} over="once clear" />
        </dd>
      </div>
      <div>
        <dt>{`Falls to ${levelText(fate.endsAt).name} by itself`}</dt>
        <dd>
          <Countdown ts={fate.endsTs} nowTs={nowTs} over="any moment" />
        </dd>
      </div>
    </dl>
  )
}

/** Whether the level's meaning holds as a whole: what isn't known restricts new risk alone, and the reason says so. */
function narrowsExits(view: View): boolean {
  return view.vaults.length === 0 || view.vaults.some((vault) => vault.exit_level > 0)
}

/** What state the protocol is in, where and why, in three lines. */
export function Headline({ view, nowTs }: { view: View; nowTs: number }) {
  const summary = summarise(view, nowTs)
  const { note } = summary
  const isNormal = summary.level === 0
  return (
    <section className="headline" data-level={isNormal && note !== null ? 1 : summary.level} aria-labelledby="headline">
      <div className="headline-level">
        <LevelWord level={summary.level} size="hero" />
        <LevelWall level={summary.level} />
      </div>
      <div className="headline-words">
        <h1 id="headline">
          {isNormal && note !== null && <Icon name="unknown" size={24} />}
          {summary.headline}
        </h1>
        <p>{summary.why}</p>
        {!isNormal && narrowsExits(view) && <p className="quiet">{levelText(summary.level).meaning}</p>}
        {!isNormal && note !== null && (
          <p className="headline-note">
            <Icon name="unknown" /> {note}
          </p>
        )}
      </div>
      <Outlook view={view} level={summary.level} nowTs={nowTs} />
      <p className="visually-hidden" role="status">
        {`${levelText(summary.level).name}. ${summary.headline}. ${note ?? ''}`}
      </p>
    </section>
  )
}
