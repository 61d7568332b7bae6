import { describe, expect, it } from 'vitest'
import { allCauses, causesOfVault, fateOf } from '@/lib/cause'
import { momentsOf } from '@/lib/moments'
import { byUrgency, distanceOf, earliestTrip, formatMeasure } from '@/lib/rule'
import { summarise } from '@/lib/summary'
import { NOW, intoHalt, intoIndeterminate, sampleView } from '@/testing/sample'

describe('causes', () => {
  it('lists an inherited cause once, under the scope that holds it', () => {
    const view = sampleView(intoHalt)
    const [vault] = view.vaults
    expect(allCauses(view).map(({ scope }) => scope)).toEqual(['SOL'])
    expect(vault && causesOfVault(view, vault).map(({ scope }) => scope)).toEqual(['SOL'])
  })
  it('lets a halt fall to Reduce only for as long again, then to Normal', () => {
    const [cause] = allCauses(sampleView(intoHalt))
    if (cause === undefined) throw new Error('the sample holds a cause')
    expect(fateOf(cause, NOW)).toEqual({ endsTs: NOW + 1_740, endsAt: 2, stepTs: NOW + 540, stepsTo: 2 })
    const tail = fateOf({ ...cause, level: 2 }, NOW + 1_740)
    expect(tail).toMatchObject({ endsTs: NOW + 3_540, endsAt: 0 })
  })
})

describe('summarise', () => {
  it('says that all is open', () => {
    expect(summarise(sampleView(), NOW)).toMatchObject({ level: 0, headline: 'SOL / USDC is open', note: null })
  })
  it('says what is halted and why', () => {
    expect(summarise(sampleView(intoHalt), NOW)).toMatchObject({
      level: 3,
      headline: 'SOL / USDC is halted',
      why: 'SOL drawdown was proved true 60 s ago on SOL.',
    })
  })
  it('puts an unknown price before a normal level', () => {
    const summary = summarise(sampleView(intoIndeterminate), NOW)
    expect(summary).toMatchObject({ level: 0, headline: 'No agreed price for SOL' })
    expect(summary.why).toContain('wait on SOL / USDC')
  })
  it('says that there is nothing yet', () => {
    const empty = sampleView((raw) => Object.assign(raw, { vaults: [], assets: [], rules: [] }))
    expect(summarise(empty, NOW).headline).toBe('No vaults yet')
  })
})

describe('momentsOf', () => {
  it('puts the earliest step down before the fall by itself', () => {
    const moments = momentsOf(sampleView(intoHalt), NOW)
    expect(moments.map(({ kind, ts }) => [kind, ts - NOW])).toEqual([
      ['step', 540],
      ['expiry', 1_740],
    ])
  })
  it('announces a trip only for a true, enabled rule that is not in force', () => {
    const streak = { verdict: 'true', streak: { count: 2, since_ts: NOW - 4 } }
    const of = (more: object) => momentsOf(sampleView((raw) => Object.assign(raw.rules[0] ?? {}, streak, more)), NOW)
    expect(of({}).map(({ kind, ts }) => [kind, ts - NOW])).toEqual([['trip', 6]])
    expect(of({ is_enabled: false })).toEqual([])
    expect(of({ is_in_force: true })).toEqual([])
  })
  it('is empty when nothing is pending', () => {
    expect(momentsOf(sampleView(), NOW)).toEqual([])
  })
})

describe('rules', () => {
  it('measures the way to the threshold from either side', () => {
    expect(distanceOf({ value: 300n, threshold: 1_500n, comparator: 'above' })).toEqual({ left: 1_200n, share: 0.2 })
    expect(distanceOf({ value: 1_500n, threshold: 1_500n, comparator: 'above' })).toEqual({ left: 0n, share: 1 })
    expect(distanceOf({ value: 20_000n, threshold: 11_500n, comparator: 'below' })).toEqual({ left: 8_500n, share: 0.575 })
    expect(distanceOf({ value: null, threshold: 1n, comparator: 'above' })).toBeNull()
  })
  it('orders by urgency', () => {
    const rules = (['clear', 'between', 'indeterminate', 'true'] as const).map((verdict) =>
      sampleView((raw) => Object.assign(raw.rules[0] ?? {}, { verdict, name: verdict })).rules.at(0),
    )
    const names = rules.filter((rule) => rule !== undefined).toSorted(byUrgency).map(({ name }) => name)
    expect(names).toEqual(['true', 'indeterminate', 'between', 'clear'])
  })
  it('has no earliest trip without a streak', () => {
    const [rule] = sampleView().rules
    expect(rule && earliestTrip({ ...rule, verdict: 'true' })).toBeNull()
  })
})

it('never shows the largest number of a measure as one', () => {
  expect([formatMeasure(4_294_967_295n, 'seconds'), formatMeasure(4_294_967_295n, 'bps')]).toEqual(['unknown', 'beyond measure'])
  expect([formatMeasure(4_294_967_294n, 'seconds'), formatMeasure(1_250n, 'bps')]).toEqual(['4,294,967,294 s', '12.5 %'])
})
