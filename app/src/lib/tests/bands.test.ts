import { describe, expect, it } from 'vitest'
import { bandsOf, movedBy } from '@/lib/bands'
import { stored } from '@/testing/accounts'
import { intoIndeterminate, sampleView } from '@/testing/sample'

it.each([
  ['150.25', -1_500n, '127.712500000'],
  ['1', 50n, '1.005000000'],
  ['0.000000001', -9_999n, '0.000000000'],
  ['5', -20_000n, '0.000000000'],
])('moves %s by %i bps to %s', (price, bps, moved) => {
  expect(movedBy(price, bps)).toBe(moved)
})

describe('bandsOf', () => {
  const view = sampleView()
  const sol = view.assets[0] as NonNullable<(typeof view.assets)[0]>
  it('puts the rule’s price in its place under the high that it is measured from', () => {
    const bands = bandsOf(sol, view.rules)
    expect(bands.find(({ kind }) => kind === 'rule')).toMatchObject({ name: 'SOL drawdown', price: '127.712500000' })
    expect(bands.map(({ price }) => Number(price))).toEqual(bands.map(({ price }) => Number(price)).sort((a, b) => b - a))
  })
  it('takes the high of the rule’s own window, not of all that is remembered', () => {
    const long = { ...sol, window_high: '300' }
    expect(bandsOf(long, view.rules).find(({ kind }) => kind === 'rule')?.price).toBe('127.712500000')
  })
  it('measures a gap from the reference of the rule’s span, and gives none while it is cold', () => {
    const ofSpan = (compared_price: string | null) =>
      sampleView((raw) => Object.assign(raw.rules[0] ?? {}, { metric: 'deviation_from_reference', reference_span: 'day', threshold: 1_000, compared_price })).rules
    expect(bandsOf(sol, ofSpan('200')).filter(({ kind }) => kind === 'rule').map(({ price }) => price)).toEqual(['220.000000000', '180.000000000'])
    expect(bandsOf(sol, ofSpan(null)).some(({ kind }) => kind === 'rule')).toBe(false)
  })
  it('gives a peg a price on both sides', () => {
    const peg = sampleView((raw) => Object.assign(raw.rules[0] ?? {}, { metric: 'peg_deviation', threshold: 200, compared_price: '1' }))
    expect(bandsOf(sol, peg.rules).filter(({ kind }) => kind === 'rule').map(({ price }) => price)).toEqual(['1.020000000', '0.980000000'])
  })
  it('gives a gap to the reference two prices, and a rule that is off none', () => {
    const gap = sampleView((raw) => Object.assign(raw.rules[0] ?? {}, { metric: 'deviation_from_reference', threshold: 1_000 }))
    expect(bandsOf(sol, gap.rules).filter(({ kind }) => kind === 'rule').map(({ price }) => price)).toEqual(['165.275000000', '135.225000000'])
    const off = sampleView((raw) => Object.assign(raw.rules[0] ?? {}, { is_enabled: false }))
    expect(bandsOf(sol, off.rules).some(({ kind }) => kind === 'rule')).toBe(false)
  })
  it('shows no price where none is agreed, and names a recorded one as such', () => {
    const unknown = sampleView(intoIndeterminate).assets[0] as typeof sol
    expect(bandsOf(unknown, []).some(({ kind }) => kind === 'price')).toBe(false)
    expect(bandsOf({ ...sol, price: { ...sol.price, state: 'recorded' } }, []).find(({ kind }) => kind === 'price')?.name).toBe('Last recorded price')
  })
  it('adds the slow anchors once they have been written, and says while they warm up', () => {
    const anchors = [{ priceQ64: stored(140n << 64n), weighedSecs: 14_400n }, { priceQ64: stored(130n << 64n), weighedSecs: 14_400n }]
    const bands = bandsOf(sol, [], { anchors }).filter(({ name }) => name.startsWith('Anchor'))
    expect(bands.map(({ name, price }) => [name, price])).toEqual([
      ['Anchor of 4 hours', '140.000000000'],
      ['Anchor of a day, warming up', '130.000000000'],
    ])
    expect(bandsOf(sol, [], { anchors: [{ priceQ64: stored(0n), weighedSecs: 0n }] }).some(({ name }) => name.startsWith('Anchor'))).toBe(false)
  })
})
