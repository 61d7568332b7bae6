import { Icon, type IconName } from '@/components/ui/Icon'
import { LEVELS, type Level, levelText } from '@/lib/level'

const ICONS: Record<Level, IconName> = { 0: 'shield', 1: 'caution', 2: 'reduce', 3: 'halt', 4: 'resolution' }

/** A level as icon and word on its colour. */
export function LevelBadge({ level }: { level: Level }) {
  return (
    <span className="badge level-ink" data-level={level}>
      <Icon name={ICONS[level]} />
      {levelText(level).name}
    </span>
  )
}

/** A level written large, with its icon. */
export function LevelWord({ level, size }: { level: Level; size: 'hero' | 'tile' }) {
  return (
    <span className={`level-word level-word-${size} level-ink`} data-level={level}>
      <Icon name={ICONS[level]} size={size === 'hero' ? 44 : 26} />
      <span>{levelText(level).name}</span>
    </span>
  )
}

/** The wall: one course per level, built up to the one in force. Decoration beside the level's word. */
export function LevelWall({ level }: { level: Level }) {
  return (
    <span className="wall" data-level={level} aria-hidden="true">
      {LEVELS.map((step) => (
        <span key={step} className="wall-stone" data-built={step <= level} />
      ))}
    </span>
  )
}
