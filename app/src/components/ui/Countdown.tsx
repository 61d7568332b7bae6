import { formatClock, formatCountdown } from '@/lib/time'

interface CountdownProps {
  /** The moment, chain time. */
  ts: number
  /** Chain time now. */
  nowTs: number
  /** Shown once the moment has passed. */
  over?: string
}

/** The time left to a moment, with the moment itself on hover. */
export function Countdown({ ts, nowTs, over = 'now' }: CountdownProps) {
  return (
    <time className="countdown" dateTime={new Date(ts * 1_000).toISOString()} title={formatClock(ts)}>
      {ts > nowTs ? formatCountdown(ts - nowTs) : over}
    </time>
  )
}
