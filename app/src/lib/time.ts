const pad = (value: number): string => value.toString().padStart(2, '0')

/** Formats a span as a clock: "4:05", "1:02:09", "3 d 04 h". Negative spans count as zero. */
export function formatCountdown(secs: number): string {
  const left = Math.max(0, Math.ceil(secs))
  const [days, hours, minutes] = [Math.floor(left / 86_400), Math.floor(left / 3_600) % 24, Math.floor(left / 60) % 60]
  if (days > 0) return `${days} d ${pad(hours)} h`
  if (hours > 0) return `${hours}:${pad(minutes)}:${pad(left % 60)}`
  return `${minutes}:${pad(left % 60)}`
}

/** Formats a span in words, largest unit only: "45 s", "12 min", "3 h", "2 d". */
export function formatSpan(secs: number): string {
  const size = Math.max(0, Math.round(secs))
  if (size < 100) return `${size} s`
  if (size < 5_400) return `${Math.round(size / 60)} min`
  if (size < 129_600) return `${Math.round(size / 3_600)} h`
  return `${Math.round(size / 86_400)} d`
}

/** Formats how long ago a moment was. */
export function formatAgo(ts: number, nowTs: number): string {
  return nowTs - ts < 2 ? 'just now' : `${formatSpan(nowTs - ts)} ago`
}

/** Formats a moment as local time of day with seconds, 24 hours. */
export function formatClock(ts: number): string {
  const date = new Date(ts * 1_000)
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`
}

/** Returns how much of the span from `from` to `to` is over at `now`, 0 to 1. */
export function elapsedShare(from: number, to: number, now: number): number {
  return to <= from ? 1 : Math.min(1, Math.max(0, (now - from) / (to - from)))
}

/** Formats a moment as local date and time of day. */
export function formatMoment(ts: number): string {
  const date = new Date(ts * 1_000)
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}`
}
