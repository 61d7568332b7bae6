import type { Breaker, Cause as StoredCause } from '@/generated'
import { type Level, LEVELS, levelText, strictest } from '@/lib/level'
import type { Cause } from '@/lib/schema/view'

/** Reach of a cause that leaves exits alone. Source: `Reach::NewRisk`. */
const NEW_RISK = 2
const HALT = 3

/** The levels in force: for new risk, and for exits and liquidations. */
export interface TwoLevels {
  risk: Level
  exit: Level
}

/** Both levels the same. */
export const bothAt = (level: Level): TwoLevels => ({ risk: level, exit: level })

/** Returns the stricter of some levels, each for its kind. */
export function strictestOf(all: readonly TwoLevels[]): TwoLevels {
  return { risk: strictest(all.map(({ risk }) => risk)), exit: strictest(all.map(({ exit }) => exit)) }
}

/** A stored level that no version knows counts as a halt: unknown is never normal. */
const storedLevel = (level: number): Level => LEVELS.find((known) => known === level && known <= HALT) ?? HALT

/** Returns the level that a cause demands. A halt falls to `Reduce only` for as long again. Source: `Cause::level_at`. */
export function levelAt(cause: StoredCause, nowTs: number): Level {
  if (cause.level === 0) return 0
  const [level, expires, tripped] = [storedLevel(cause.level), Number(cause.expiresAtTs), Number(cause.trippedAtTs)]
  if (nowTs < expires) return level
  return level === HALT && nowTs < expires + (expires - tripped) ? 2 : 0
}

const levelsOfCause = (cause: StoredCause, nowTs: number): TwoLevels => {
  const risk = levelAt(cause, nowTs)
  return { risk, exit: cause.reach === NEW_RISK ? 0 : risk }
}

/** Returns the strictest levels of all causes of a breaker that haven't ended. */
export function levelsOf(breaker: Breaker, nowTs: number): TwoLevels {
  return strictestOf(breaker.causes.map((cause) => levelsOfCause(cause, nowTs)))
}

/** Returns the causes in force, in the form of the keeper's view. */
export function causesOf(breaker: Breaker, nowTs: number, nameOf: (address: string) => string): Cause[] {
  return breaker.causes.flatMap((cause) => {
    const { risk, exit } = levelsOfCause(cause, nowTs)
    if (risk === 0) return []
    return [
      {
        rule: cause.source,
        rule_name: nameOf(cause.source),
        is_new_risk_only: exit === 0,
        level: risk,
        level_name: levelText(risk).name,
        tripped_at_ts: Number(cause.trippedAtTs),
        expires_at_ts: Number(cause.expiresAtTs),
        dwell_until_ts: Number(cause.dwellUntilTs),
      },
    ]
  })
}
