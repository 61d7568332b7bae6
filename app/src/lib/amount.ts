/** Groups digits of an integer by thousands with commas. */
function group(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

function power(decimals: number): bigint {
  return 10n ** BigInt(decimals)
}

/**
 * Formats base units as whole tokens with at most `places` decimals.
 *
 * Rounds towards zero, so a shown amount is never more than there is; trailing zeros go.
 */
export function formatAmount(amount: bigint, decimals: number, places = 2): string {
  const sign = amount < 0n ? '−' : ''
  const size = amount < 0n ? -amount : amount
  const whole = size / power(decimals)
  const rest = (size % power(decimals)).toString().padStart(decimals, '0').slice(0, Math.min(places, decimals))
  const fraction = rest.replace(/0+$/, '')
  if (whole === 0n && fraction === '' && size > 0n) return `${sign}<${places === 0 ? '1' : `0.${'1'.padStart(Math.min(places, decimals), '0')}`}`
  return `${sign}${group(whole.toString())}${fraction === '' ? '' : `.${fraction}`}`
}

const SUFFIXES = [
  { zeros: 12, sign: 'T' },
  { zeros: 9, sign: 'B' },
  { zeros: 6, sign: 'M' },
  { zeros: 3, sign: 'k' },
] as const

/** Formats base units in three or four digits with k, M, B or T; rounds towards zero. */
export function formatCompact(amount: bigint, decimals: number): string {
  const size = amount < 0n ? -amount : amount
  const suffix = SUFFIXES.find(({ zeros }) => size >= power(decimals + zeros) * (zeros === 3 ? 10n : 1n))
  if (suffix === undefined) return formatAmount(amount, decimals, size >= power(decimals + 2) ? 0 : 2)
  const scale = decimals + suffix.zeros
  const places = size >= power(scale + 2) ? 0 : size >= power(scale + 1) ? 1 : 2
  return `${formatAmount(amount, scale, places)}${suffix.sign}`
}

/** Formats basis points as a percentage: 1250 is "12.5 %". */
export function formatBps(bps: number | bigint): string {
  return `${formatAmount(BigInt(bps), 2)} %`
}

/** Returns `part` of `whole` in bps, rounded down; 0 for an empty whole. */
export function shareBps(part: bigint, whole: bigint): number {
  return whole <= 0n ? 0 : Number((part * 10_000n) / whole)
}

/** Formats a count with thousands separators. */
export function formatCount(count: number | bigint): string {
  return group(count.toString())
}
