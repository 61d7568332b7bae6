import { describe, expect, it } from 'vitest'
import { NO_LINK, chainNow, healthOf, received } from '@/lib/connection'
import { BadShape, BadStatus, Unreachable } from '@/lib/failure'
import { accountUrl } from '@/lib/explorer'
import { parse } from '@/lib/parse'
import { HistoryPage } from '@/lib/schema/kept'
import { columnsOf, merged, sampleOf, thinned, withSample } from '@/lib/series'
import { eventKey, groupOf, originOf, toneOf, withEvent } from '@/lib/timeline'
import { NO_FIELDS, NOW, intoIndeterminate, sampleView } from '@/testing/sample'

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
  const event = (id: number, ts: number) => ({ id, ts, slot: 1 as number | null, kind: 'breaker_tripped', text: 'Tripped.', fields: NO_FIELDS })
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

describe('originOf', () => {
  const made = (fields: object) => parse(HistoryPage, { items: [{ id: 1, at_ms: 1, slot: 1, class: 'trip', subject: 'rule', fence: '4', outcome: 'landed', signature: 'own', ...fields }], next: null }).items
  const tripped = { id: 1, ts: 1, slot: 1, kind: 'breaker_tripped', text: '', fields: { ...NO_FIELDS, rule: 'rule', trip_epoch: 5 } }
  const reduced = { ...tripped, kind: 'position_liquidated', fields: { ...NO_FIELDS, position: 'position', liquidation_seq: 8 } }
  it('is the transaction of this keeper that landed on the fence that moved', () => {
    expect(originOf(tripped, made({}))).toEqual({ signature: 'own' })
    expect(originOf(reduced, made({ class: 'liquidate', subject: 'position', fence: '7' }))).toEqual({ signature: 'own' })
  })
  it.each([
    ['another fence', { fence: '3' }],
    ['a later fence', { fence: '5' }],
    ['another account', { subject: 'other' }],
    ['another act', { class: 'step_down' }],
    ['an act that didn’t land', { outcome: 'lost_race' }],
    ['an act of unknown fate', { outcome: null }],
    ['no signature', { signature: null }],
  ])('is the account alone for %s', (_, fields) => {
    expect(originOf(tripped, made(fields))).toEqual({ account: 'rule', what: 'rule or group' })
  })
  it('is what the event says itself, or nothing', () => {
    expect(originOf({ ...tripped, fields: { ...NO_FIELDS, signature: 'told' } }, made({}))).toEqual({ signature: 'told' })
    expect(originOf({ ...tripped, kind: 'rule_became_true' }, made({}))).toBeNull()
  })
})

it('links an account where an explorer shows its chain, and nowhere else', () => {
  const devnet = 'EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG'
  expect([accountUrl(devnet, 'abc'), accountUrl('other', 'abc'), accountUrl(null, 'abc')]).toEqual(['https://explorer.solana.com/address/abc?cluster=devnet', null, null])
})
