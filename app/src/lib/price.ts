/**
 * Formats a decimal string with thousands separators and a precision that fits its size.
 *
 * Works on the digits: no float comes between the keeper and the screen. Rounds half up.
 */
export function formatDecimal(text: string, places = placesFor(text)): string {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.')
  const scaled = BigInt(whole + fraction.padEnd(places + 1, '0').slice(0, places + 1))
  const rounded = ((scaled + 5n) / 10n).toString().padStart(places + 1, '0')
  const digits = rounded.slice(0, rounded.length - places).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
  const sign = text.startsWith('-') ? '−' : ''
  return places === 0 ? sign + digits : `${sign}${digits}.${rounded.slice(-places)}`
}

/** Formats a price in USD. */
export function formatUsd(text: string): string {
  return `$${formatDecimal(text)}`
}

/** Decimals at which four or five digits of a price are seen. */
function placesFor(text: string): number {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.')
  const digits = whole.replace(/^0+/, '').length
  if (digits >= 5) return 0
  if (digits >= 2) return 2
  if (digits === 1) return 4
  const zeros = /^0*/.exec(fraction)?.[0].length ?? 0
  return Math.min(zeros + 4, 12)
}

/**
 * Returns the gap of `value` to `reference` in bps, for display; null without a reference.
 *
 * For display only: decisions are made by the program and the keeper.
 */
export function gapBps(value: string, reference: string): number | null {
  const base = Number(reference)
  return base > 0 ? Math.round(((Number(value) - base) / base) * 10_000) : null
}

/** Formats a signed gap in bps: −250 is "−2.50 %". */
export function formatGap(bps: number): string {
  const sign = bps < 0 ? '−' : bps > 0 ? '+' : '±'
  return `${sign}${(Math.abs(bps) / 100).toFixed(2)} %`
}
