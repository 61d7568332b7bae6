import { describe, expect, it } from 'vitest'
import { BadShape } from '@/lib/failure'
import { parse } from '@/lib/parse'
import { Event, History, View } from '@/lib/schema/view'
import { NO_FIELDS, rawView } from '@/testing/sample'

describe('View', () => {
  it('reads a whole state with amounts as bigint', () => {
    const view = parse(View, rawView())
    expect(view.vaults[0]?.debt_amount).toBe(18_446_744_073_709_551_615n)
    expect(view.rules[0]).toMatchObject({ threshold: 1_500n, value: 300n, trip_epoch: 4n })
    expect(view.keeper?.transactions.lost_race).toBe(1)
  })
  it('takes whole numbers as digits or as JSON numbers', () => {
    const view = parse(View, { ...rawView(), chain: { slot: '4000', unix_ts: 1_700_000_000 } })
    expect(view.chain.slot).toBe(4_000)
  })
  it('counts an unknown state of a price as indeterminate', () => {
    const raw = rawView()
    Object.assign(raw.vaults[0]?.price ?? {}, { state: '', lo: null })
    expect(parse(View, raw).vaults[0]?.price).toMatchObject({ state: 'indeterminate', lo: null })
  })
  it('reads the state of an older keeper, which leaves out what came later', () => {
    const raw = rawView()
    const drop = (of: object | undefined, ...keys: string[]) => {
      for (const key of keys) Reflect.deleteProperty(of ?? {}, key)
    }
    const [vault] = raw.vaults
    drop(raw, 'reserve')
    drop(raw.keeper, 'budgets', 'kept_for_trips_lamports')
    drop(vault, 'price_for_new_risk', 'ltv_now_bps', 'borrow_index_q64')
    drop(vault?.limits.loan, 'floor', 'lease_amount')
    drop(vault?.limits.loan.exit, 'hour_usable_amount', 'day_usable_amount')
    drop(raw.rules[0], 'reference_span', 'compared_price', 'standing', 'groups')
    const view = parse(View, raw)
    expect(view.vaults[0]).toMatchObject({ ltv_now_bps: null, borrow_index_q64: null, limits: { loan: { floor: null, exit: { hour_usable_amount: null } } } })
    expect(view.rules[0]).toMatchObject({ compared_price: null, standing: 'alone', groups: [] })
    expect([view.reserve, view.keeper?.budgets]).toEqual([null, []])
  })
  it.each([
    ['another schema version', { schema: 2 }, 'schema'],
    ['an amount with a fraction', { keeper: { ...rawView().keeper, balance_lamports: '1.5' } }, 'keeper.balance_lamports'],
    ['a number beyond 2^53', { chain: { slot: 2 ** 60, unix_ts: 0 } }, 'chain.slot'],
    ['an unknown level', { guard: { ...rawView().guard, level: 5 } }, 'guard.level'],
    ['a missing part', { rules: undefined }, 'rules'],
  ])('refuses %s and says where', (_, change, where) => {
    const read = () => parse(View, { ...rawView(), ...change })
    expect(read).toThrow(BadShape)
    expect(read).toThrow(where)
  })
})

it('reads a history with gaps', () => {
  const { samples } = parse(History, { samples: [{ ts: 1, price: null, reference: '2.5', lo: null, hi: null }] })
  expect(samples).toEqual([{ ts: 1, price: null, reference: '2.5', lo: null, hi: null }])
})

it('reads an event of a kind it does not know', () => {
  const event = parse(Event, { id: 7, ts: 9, slot: 3, kind: 'new_kind', text: 'New.', fields: {} })
  expect([event.kind, event.fields.signature]).toEqual(['new_kind', null])
})

it('reads the transaction that an event is about', () => {
  const event = parse(Event, { id: 7, ts: 9, slot: 3, kind: 'transaction_landed', text: 'Landed.', fields: { signature: 'abc', class: 'trip' } })
  expect(event.fields).toEqual({ ...NO_FIELDS, signature: 'abc' })
})
