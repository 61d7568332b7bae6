import { describe, expect, it } from 'vitest'
import { formatRisk, libraryNote, libraryText, modelText } from '@/lib/judging'
import { parse } from '@/lib/parse'
import { View } from '@/lib/schema/view'
import { rawView } from '@/testing/sample'

const policy = { name: 'pool-lspi', version: 3, hash: 'a57d79f2a2da6fdd', probability: 0.7, is_reigning: true, is_chosen: true }
const none = { state: 'off', reason: null, hash: null, rounds: 0, decisions: 0, differing: 0, policies: [] as unknown[] }

function judging(library: object, model: unknown = { version: 1, hash: 'b0d2f4681a3c5e70' }) {
  const raw = rawView()
  const read = parse(View, { ...raw, keeper: { ...raw.keeper, score: { model, library: { ...none, ...library } } } }).keeper?.score
  if (read === undefined) throw new Error('no score was read')
  return read
}

describe('what a keeper judges by', () => {
  it('names the policy in shadow by version and hash, and that rules drive', () => {
    const other = { ...policy, version: 2, is_reigning: false, is_chosen: false }
    const score = judging({ state: 'shadow', hash: 'cc', decisions: 120, differing: 7, policies: [other, policy] })
    expect(modelText(score)).toBe('version 1, b0d2f4681a3c')
    expect(libraryText(score)).toBe('pool-lspi version 3, a57d79f2a2da')
    expect(libraryNote(score)).toBe('In shadow, 1 of 2, 7 of 120 decisions other than the rules’. Rules drive.')
  })
  it('says why a library is refused', () => {
    const score = judging({ state: 'refused', reason: '`library.json` is cut' }, null)
    expect([modelText(score), libraryText(score), libraryNote(score)]).toEqual([
      'none',
      '`library.json` is cut',
      'The library is refused. Rules drive.',
    ])
  })
  it('reads a keeper that says nothing of it', () => {
    expect(parse(View, rawView()).keeper?.score).toBeUndefined()
    expect(libraryText(judging({}))).toBe('none')
  })
  it('reads what is said of a subject, and refuses a band and a probability that there aren’t', () => {
    const said = { subject: 'Sol', score_bps: 1_520, band: 'tighten', fall_6h: 0.012, fall_24h: null, value_at_risk_99: 0.021, value_at_risk_999: 0.058 }
    const read = (change: object = {}) => {
      const raw = rawView()
      const score = { model: null, library: none, subjects: [{ ...said, ...change }] }
      return parse(View, { ...raw, keeper: { ...raw.keeper, score } }).keeper?.score?.subjects
    }
    expect(read()).toEqual([said])
    expect(() => read({ band: 'calm' })).toThrow('keeper.score.subjects.0.band')
    expect(() => read({ fall_6h: 1.5 })).toThrow('keeper.score.subjects.0.fall_6h')
  })
  it('rounds a risk up, and never to none', () => {
    expect([0, 0.000_000_1, 0.0234, 0.023_401, 1].map(formatRisk)).toEqual(['0 %', '0.01 %', '2.34 %', '2.35 %', '100 %'])
  })
  it('refuses a state that it does not know', () => {
    expect(() => judging({ state: 'drives' })).toThrow('keeper.score.library.state')
  })
})
