import { describe, expect, it } from 'vitest'
import { NO_LINK, chainNow, healthOf, received } from '@/lib/connection'
import { BadShape, BadStatus, Unreachable } from '@/lib/failure'
import { columnsOf, merged, sampleOf, thinned, withSample } from '@/lib/series'
import { eventKey, groupOf, toneOf, withEvent } from '@/lib/timeline'
import { NOW, intoIndeterminate, sampleView } from '@/testing/sample'

const STALE = 5_000
const at = (ts: number) => ({ ts, price: '1', reference: null, lo: null, hi: null })

describe('healthOf', () => {
  const link = received(NO_LINK, sampleView(), 10_000)
  it('tells loading, live and stale apart by time', () => {
    expect(healthOf(NO_LINK, 10_000, STALE)).toBe('loading')
    expect(healthOf(link, 15_000, STALE)).toBe('live')
    expect(healthOf(link, 15_001, STALE)).toBe('stale')
  })
  it('is stale when the keeper answers but its state stands still', () => {
    const again = received(link, sampleView(), 16_000)
    expect(healthOf(again, 16_000, STALE)).toBe('stale')
    const moved = sampleView((raw) => Object.assign(raw.chain, { slot: 4_001 }))
    expect(healthOf(received(again, moved, 17_000), 17_000, STALE)).toBe('live')
  })
  it('tells an absent keeper from one that answers badly', () => {
    expect(healthOf({ ...link, failure: new Unreachable('gone') }, 10_000, STALE)).toBe('disconnected')
    expect(healthOf({ ...link, failure: new BadStatus(503) }, 10_000, STALE)).toBe('error')
    expect(healthOf({ ...link, failure: new BadShape('rules') }, 10_000, STALE)).toBe('error')
  })
  it('moves the chain clock on between states', () => {
    expect([chainNow(link, 10_000), chainNow(link, 13_400)]).toEqual([NOW, NOW + 3])
  })
})

describe('series', () => {
  it('puts a sample at its place, replaces one of the same second and drops the oldest', () => {
    const series = withSample([at(1), at(3)], { ...at(3), price: '2' }, 2)
    expect(series.map(({ ts, price }) => [ts, price])).toEqual([
      [1, '1'],
      [3, '2'],
    ])
    expect(withSample(series, at(4), 2).map(({ ts }) => ts)).toEqual([3, 4])
    expect(withSample(series, at(2), 3).map(({ ts }) => ts)).toEqual([1, 2, 3])
  })
  it('merges a late history under what was gathered since', () => {
    const all = merged([at(1), at(2)], [{ ...at(2), price: '9' }, at(3)], 10)
    expect(all.map(({ ts, price }) => `${ts}:${price ?? ''}`)).toEqual(['1:1', '2:9', '3:1'])
  })
  it('leaves a gap where the price is indeterminate', () => {
    const [asset] = sampleView(intoIndeterminate).assets
    if (asset === undefined) throw new Error('the sample holds an asset')
    expect(columnsOf([sampleOf(asset, NOW)])).toEqual([[NOW], [null], [150.25], [null], [null]])
  })
  it('thins a table evenly and keeps the newest', () => {
    const table = thinned(Array.from({ length: 100 }, (_, ts) => at(ts)), 10)
    expect(table).toHaveLength(10)
    expect(table[0]?.ts).toBe(99)
  })
})

describe('timeline', () => {
  const event = (id: number, ts: number) => ({ id, ts, slot: 1 as number | null, kind: 'breaker_tripped', text: 'Tripped.', fields: { signature: null as string | null } })
  it('keeps each event once, newest first, at most as many as asked', () => {
    const events = [event(1, 10), event(2, 11), event(1, 10), event(3, 11)].reduce(
      (known: readonly ReturnType<typeof event>[], next) => withEvent(known, next, 2) as ReturnType<typeof event>[],
      [],
    )
    expect(events.map(eventKey)).toEqual(['11:3', '11:2'])
  })
  it('shows kinds it does not know', () => {
    expect([groupOf('breaker_tripped'), groupOf('new_kind')]).toEqual(['levels', 'keeper'])
    expect([toneOf('breaker_tripped'), toneOf('new_kind')]).toEqual(['alarm', 'plain'])
  })
})
