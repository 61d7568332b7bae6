import { describe, expect, it } from 'vitest'
import { contextOf, fieldName, fieldValue } from '@/lib/field'
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
  expect(contextOf(view, 'Rule1')).toEqual({ unit: 'bps', metric: 'drawdown' })
  expect(contextOf(view, 'other')).toEqual({})
})
