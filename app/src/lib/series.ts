import type { Asset, Sample } from '@/lib/schema/view'

/** Columns for the chart: time, price, reference, upper and lower end; a gap is null. */
export type Columns = [number[], ...(number | null)[][]]

/** Returns the sample that a state holds of an asset. */
export function sampleOf(asset: Asset, ts: number): Sample {
  const { price, reference } = asset
  const isKnown = price.state !== 'indeterminate'
  return {
    ts,
    price: isKnown ? price.mid : null,
    reference: reference.price,
    lo: isKnown ? price.lo : null,
    hi: isKnown ? price.hi : null,
  }
}

/** Adds a sample at its place in time; one of the same second is replaced; the oldest beyond `keep` go. */
export function withSample(samples: readonly Sample[], sample: Sample, keep: number): Sample[] {
  const before = samples.filter(({ ts }) => ts < sample.ts)
  const after = samples.filter(({ ts }) => ts > sample.ts)
  return [...before, sample, ...after].slice(-keep)
}

/** Merges a history with samples gathered since; the gathered ones win. */
export function merged(history: readonly Sample[], gathered: readonly Sample[], keep: number): Sample[] {
  const byTime = new Map([...history, ...gathered].map((sample) => [sample.ts, sample]))
  return [...byTime.values()].sort((a, b) => a.ts - b.ts).slice(-keep)
}

const drawn = (text: string | null): number | null => (text === null ? null : Number(text))

/** Returns the columns of some samples: the one place where prices become floats, to be drawn. */
export function columnsOf(samples: readonly Sample[]): Columns {
  return [
    samples.map(({ ts }) => ts),
    samples.map(({ price }) => drawn(price)),
    samples.map(({ reference }) => drawn(reference)),
    samples.map(({ hi }) => drawn(hi)),
    samples.map(({ lo }) => drawn(lo)),
  ]
}

/** Returns at most `rows` samples spread evenly, newest first: the table beside the chart. */
export function thinned(samples: readonly Sample[], rows: number): Sample[] {
  const step = Math.max(1, Math.ceil(samples.length / rows))
  return samples.filter((_, index) => (samples.length - 1 - index) % step === 0).reverse()
}
