import { describe, expect, it } from 'vitest'
import { choicesOf, contextOf, fieldName, fieldValue, spellingOf } from '@/lib/field'
import { empty } from '@/testing/accounts'
import { sampleView } from '@/testing/sample'

const context = { loan: { decimals: 6, symbol: 'USDC' }, collateral: { decimals: 9, symbol: 'SOL' } }

it.each([
  [['loanFlow', 'hourlyBps'], 'Loan flow, hourly'],
  [['ltvBps'], 'LTV'],
  [['supplyCapAmount'], 'Supply cap'],
  [[], 'Value'],
])('names %j', (path, name) => {
  expect(fieldName(path)).toBe(name)
})

describe('fieldValue', () => {
  it.each<[string[], bigint | number | string | boolean | undefined, string]>([
    [['hourlyBps'], 1_250, '12.5 %'],
    [['minDwellSecs'], 172_800, '2 d (172,800 s)'],
    [['supplyCapAmount'], 24_000_000_000_000n, '24,000,000 USDC'],
    [['collateralCapAmount'], 1_500_000_000n, '1.5 SOL'],
    [['inflow', 'absoluteFloorAmount'], 1_500_000_000n, '1.5 SOL'],
    [['maxDayMicroUsd'], 250_000_000n, '$250'],
    [['bountyLamports'], 100_000_000n, '0.1 SOL'],
    [['expiresAtTs'], 0n, 'never'],
    [['expiresAtTs'], 1_700_000_000n, '2023-11-14 22:13:20 UTC'],
    [['level'], 3, 'Halt'],
    [['level'], 77, 'Halt'],
    [['switch'], 2, 'on'],
    [['switch'], 0, 'off'],
    [['comparator'], 2, 'below'],
    [['scope'], 1, 'its subject'],
    [['scope'], 2, 'the whole guard'],
    [['part'], 3, 'liquidity'],
    [['ltv', 'part'], 2, 'volatility'],
    [['part'], 9, '9'],
    [['referenceSpan'], 2, 'four hours'],
    [['standing'], 2, 'only in a group'],
    [['bounty'], 2, 'on'],
    [['metric'], 1, 'Fall from the window’s high'],
    [['quote'], 1, 'asset 2'],
    [['scored'], 0, 'asset 1'],
    [['index'], 0, 'asset 1'],
    [['window', 'cells', '3', 'index'], 4_000n, '4,000'],
    [['amount'], 1_000n, '1,000 base units'],
    [['cover', '1', 'dayAmount'], 1_000n, '1,000 base units'],
    [['anything'], true, 'yes'],
    [['anything'], undefined, 'not known'],
    [['anything'], 12_345, '12,345'],
  ])('spells %j %s as %s', (path, value, text) => {
    expect(fieldValue(path, value, context)).toBe(text)
  })
  it('says base units where the token isn’t known', () => {
    expect(fieldValue(['supplyCapAmount'], 1_000n, {})).toBe('1,000 base units')
  })
  it('spells a threshold in the unit of its rule', () => {
    expect(fieldValue(['threshold'], 90n, { unit: 'seconds' })).toBe('90 s')
    expect(fieldValue(['clearThreshold'], 90n, { unit: 'bps' })).toBe('0.9 %')
  })
})

it('takes tokens from the vault and units from the rule that an account is', () => {
  const view = sampleView()
  expect(contextOf(view, 'Vault1')).toEqual(context)
  expect(contextOf(view, 'Rule1')).toEqual({ unit: 'bps' })
  expect(contextOf(view, 'other')).toEqual({})
})

describe('the reserve', () => {
  const zero = empty.reserve()
  const held = (at: number, asset: string, decimals: number) => ({ ...(zero.assets[at] as NonNullable<(typeof zero.assets)[0]>), asset: asset as never, decimals })
  const assets = [held(0, 'Sol', 9), held(1, 'Usdc', 6), ...zero.assets.slice(2)]
  const reserve = { ...zero, assets, plan: { ...zero.plan, count: 2 } }
  const context = contextOf(sampleView(), 'Reserve1', { reserves: [{ address: 'Reserve1', value: reserve }], integrations: [] })
  it('names its places by their assets', () => {
    expect(context).toEqual({ assets: [{ decimals: 9, symbol: 'SOL' }, { decimals: 6, symbol: 'USDC' }] })
    expect([['quote'], ['plan', 'scored'], ['grant', 'index']].map((path) => fieldValue(path, 1, context))).toEqual(['USDC', 'USDC', 'USDC'])
    expect(choicesOf(['index'], context)).toEqual({ 0: 'SOL', 1: 'USDC' })
    expect(choicesOf(['index'])).toBeNull()
  })
  it('counts cover in the asset of its place', () => {
    expect(fieldValue(['cover', '1', 'dayAmount'], 1_500_000_000n, context)).toBe('1.5 SOL')
    expect(fieldValue(['plan', 'cover', '2', 'lifeAmount'], 1_500_000n, context)).toBe('1.5 USDC')
  })
  it('counts a grant in the asset that each side names', () => {
    const { from, to } = spellingOf(context, { amount: 1n, index: 0 }, { amount: 1n, index: 1 })
    expect([from, to].map((side) => fieldValue(['amount'], 2_000_000_000n, side))).toEqual(['2 SOL', '2,000 USDC'])
    expect(spellingOf(context, undefined, { ltvBps: 1 })).toEqual({ from: context, to: context })
  })
})
