import { allCauses, fateOf, type HeldCause } from '@/lib/cause'
import { levelText } from '@/lib/level'
import { earliestTrip } from '@/lib/rule'
import type { Rule, View } from '@/lib/schema/view'

/** Something that can or will happen. */
export interface Moment {
  /** Stable key. */
  key: string
  /** When, chain time. */
  ts: number
  /** Sort of moment: a possible trip, a possible step down, or a fall by itself. */
  kind: 'trip' | 'step' | 'expiry'
  /** Whether it is certain to happen then. */
  isCertain: boolean
  /** What happens, one line. */
  title: string
  /** On which condition, one line. */
  detail: string
}

function ofCause(cause: HeldCause, rules: readonly Rule[], nowTs: number): Moment[] {
  const fate = fateOf(cause, nowTs)
  const isClear = rules.find(({ address }) => address === cause.rule)?.verdict === 'clear'
  const name = levelText(cause.level).name
  const key = `${cause.rule}:${cause.tripped_at_ts}`
  return [
    {
      key: `${key}:step`,
      ts: fate.stepTs,
      kind: 'step',
      isCertain: false,
      title: `${name} may step down to ${levelText(fate.stepsTo).name}`,
      detail: `${cause.scope}: ${isClear ? `${cause.rule_name} is clear` : `once ${cause.rule_name} is clear`}`,
    },
    {
      key: `${key}:expiry`,
      ts: fate.endsTs,
      kind: 'expiry',
      isCertain: true,
      title: `${name} falls to ${levelText(fate.endsAt).name} by itself`,
      detail: `${cause.scope}: unless it trips again`,
    },
  ]
}

function ofRule(rule: Rule): Moment[] {
  const ts = earliestTrip(rule)
  if (ts === null) return []
  const seen = `${rule.streak.count} of ${rule.min_observations} observations`
  return [
    {
      key: `${rule.address}:trip`,
      ts,
      kind: 'trip',
      isCertain: false,
      title: `${rule.name} can raise ${levelText(rule.level).name}`,
      detail: `${rule.scope === 'guard' ? 'the guard' : rule.subject_name}: if it stays true; ${seen}`,
    },
  ]
}

/** Returns what happens next, soonest first. */
export function momentsOf(view: View, nowTs: number): Moment[] {
  const causes = allCauses(view).flatMap((cause) => ofCause(cause, view.rules, nowTs))
  const moments = [...view.rules.flatMap(ofRule), ...causes].filter(({ ts, kind }) => kind !== 'expiry' || ts > nowTs)
  return moments.sort((a, b) => Math.max(a.ts, nowTs) - Math.max(b.ts, nowTs) || a.key.localeCompare(b.key))
}
