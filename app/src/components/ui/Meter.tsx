interface MeterProps {
  /** Name for those who don't see it. */
  label: string
  /** Filled share, 0 to 1. */
  share: number
  /** Value in words. */
  text: string
  /** How the bar reads. */
  tone?: 'plain' | 'watch' | 'alarm'
}

/** A bar that fills. */
export function Meter({ label, share, text, tone = 'plain' }: MeterProps) {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 1_000) / 10
  return (
    <span
      className="meter"
      data-tone={tone}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={text}
    >
      <span className="meter-fill" style={{ inlineSize: `${percent}%` }} />
    </span>
  )
}
