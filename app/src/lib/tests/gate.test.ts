import { describe, expect, it } from 'vitest'
import { ACTIONS, type Conditions, gate, passWord, possible } from '@/lib/gate'
import { LEVELS, type Level, below, levelText, strictest } from '@/lib/level'

const agreed: Conditions = { isPriceAgreed: true, isPriceJudged: true, agreeing: 2, exitFloorBps: 100 }
const at = (level: Level) => ({ level, exit_level: level })

describe('gate', () => {
  it('is the table of the program', () => {
    const table = ACTIONS.map((action) => LEVELS.map((level) => passWord(gate(action, level))))
    expect(table).toEqual([
      ['Open', '25 %', 'Blocked', 'Blocked', 'Blocked'],
      ['Open', 'Open', 'Blocked', 'Blocked', 'Blocked'],
      ['Open', '50 %', 'Floor', 'Floor', 'Blocked'],
      ['Open', 'Open', 'Open', 'Open', 'Open'],
      ['Open', 'Open', 'Open', 'Open', 'Open'],
      ['Open', 'Open', 'Open', 'Two sources', 'Blocked'],
    ])
  })
})

describe('possible', () => {
  it('leaves repaying and adding collateral open at every level, with or without a price', () => {
    for (const level of LEVELS) {
      for (const action of ['repay', 'addCollateral'] as const) {
        expect(possible(action, at(level), { ...agreed, isPriceAgreed: false, isPriceJudged: true }).state).toBe('open')
      }
    }
  })
  it('closes what needs a price while it is indeterminate, and leaves exits open', () => {
    const unknown = { ...agreed, isPriceAgreed: false, isPriceJudged: true, agreeing: 0 }
    expect(possible('borrow', at(0), unknown)).toMatchObject({ state: 'closed', note: 'waits for an agreed price' })
    expect(possible('liquidate', at(3), unknown).state).toBe('closed')
    expect(possible('withdraw', at(0), unknown).state).toBe('open')
  })
  it('says Blocked, not Not now, where a price would not help', () => {
    expect(possible('borrow', at(2), { ...agreed, isPriceAgreed: false, isPriceJudged: true }).word).toBe('Blocked')
  })
  it('lets liquidation through a halt only on two agreeing sources', () => {
    expect(possible('liquidate', at(3), agreed)).toMatchObject({ state: 'limited', note: '2 sources agree' })
    expect(possible('liquidate', at(3), { ...agreed, agreeing: 1 }).state).toBe('closed')
  })
  it('leaves exits and liquidations as they are where only new risk is restricted', () => {
    const blind = { level: 2, exit_level: 0 } as const
    expect(possible('borrow', blind, agreed).word).toBe('Blocked')
    expect(possible('supply', blind, agreed).word).toBe('Blocked')
    expect([possible('withdraw', blind, agreed).state, possible('liquidate', blind, agreed).state]).toEqual(['open', 'open'])
  })
  it('names the floor', () => {
    expect(possible('withdraw', at(3), agreed)).toMatchObject({ state: 'limited', note: '1 % of a position a day' })
  })
})

it('orders levels', () => {
  expect([strictest([]), strictest([1, 3, 2]), below(0), below(3)]).toEqual([0, 3, 0, 2])
  expect(levelText(2).name).toBe('Reduce only')
})
