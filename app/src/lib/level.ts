/** What a scope still allows, ordered: a higher level is stricter. Mirrors `state/breaker.rs` of the program. */
export const LEVELS = [0, 1, 2, 3, 4] as const

/** One level. */
export type Level = (typeof LEVELS)[number]

/** A level's name and what it means in one line. */
export interface LevelText {
  /** As shown. */
  name: string
  /** One short sentence. */
  meaning: string
}

const TEXTS: Record<Level, LevelText> = {
  0: { name: 'Normal', meaning: 'Every action is open within its limits.' },
  1: { name: 'Caution', meaning: 'New borrowing and exits at reduced limits.' },
  2: { name: 'Reduce only', meaning: 'No new risk. Exits pass through the floor.' },
  3: { name: 'Halt', meaning: 'No new risk. Liquidation only at a price two sources agree on.' },
  4: { name: 'Resolution', meaning: 'Orderly wind-down.' },
}

/** Returns a level's name and meaning. */
export function levelText(level: Level): LevelText {
  return TEXTS[level]
}

/** Returns the strictest of some levels; Normal for none. */
export function strictest(levels: readonly Level[]): Level {
  return levels.reduce<Level>((worst, level) => (level > worst ? level : worst), 0)
}

/** Returns the level one step below; Normal stays. */
export function below(level: Level): Level {
  return LEVELS[Math.max(0, level - 1)] ?? 0
}
