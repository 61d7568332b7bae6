import { describe, expect, it } from 'vitest'
import { causesOf, levelAt, levelsOf } from '@/lib/chain/breaker'
import { baseAt, gaugesOf, heldBy, hourUsed } from '@/lib/chain/flow'
import { decimalOf, readPyth, readSwitchboard, sourceOf } from '@/lib/chain/oracle'
import { rateBps, recordedPrice, viewOfChain, windowSamples } from '@/lib/chain/view'
import { empty, keyOf, stored } from '@/testing/accounts'
import { NOW } from '@/testing/sample'

const breaker = empty.guard().breaker
const blank = breaker.causes[0] as NonNullable<(typeof breaker.causes)[0]>
const cause = (level: number, change: object = {}) => ({ ...blank, source: keyOf(9), level, kind: 1, reach: 1, trippedAtTs: 100n, expiresAtTs: 160n, dwellUntilTs: 110n, ...change })
const holding = (...causes: (typeof blank)[]) => ({ ...breaker, causes: [...causes, ...breaker.causes.slice(causes.length)] })

describe('levels, as the program’s breaker', () => {
  it('a halt falls to Reduce only for as long again, all else to Normal', () => {
    expect([159, 160, 219, 220].map((now) => levelAt(cause(3), now))).toEqual([3, 2, 2, 0])
    expect([159, 160].map((now) => levelAt(cause(2), now))).toEqual([2, 0])
  })
  it('what restricts new risk alone leaves exits as they are', () => {
    expect(levelsOf(holding(cause(2, { reach: 2 })), 120)).toEqual({ risk: 2, exit: 0 })
    expect(levelsOf(holding(cause(1, { reach: 2 }), cause(2)), 120)).toEqual({ risk: 2, exit: 2 })
  })
  it('a stored level that it doesn’t know counts as a halt, an unknown reach as all', () => {
    expect(levelsOf(holding(cause(77, { reach: 77 })), 120)).toEqual({ risk: 3, exit: 3 })
  })
  it('lists causes in force only', () => {
    expect(causesOf(holding(cause(1), cause(2, { expiresAtTs: 110n })), 120, () => 'it').map(({ level }) => level)).toEqual([1])
  })
})

describe('limits', () => {
  const flow = empty.vault().loanFlow
  it('a bucket leaks half of its limit in an hour, and what is left is rounded up', () => {
    const budget = { ...flow.exit, hour: { usedScaled: stored(100n * 3_600n), lastTs: 1_000n, limit: 100n } }
    expect([1_000, 1_001, 4_600, 8_200].map((now) => hourUsed(budget, now))).toEqual([100n, 100n, 50n, 0n])
  })
  it('the base of a day is the mean of the last one, and at most what there was last', () => {
    const base = { weighted: stored(86_400n * 500n), amount: 7n, lastAmount: 400n, lastTs: 86_400n, startedTs: 0n }
    expect([baseAt(base, 86_399), baseAt({ ...base, lastTs: 10n }, 20)]).toEqual([400n, 7n])
  })
})

describe('sources', () => {
  const feed = Uint8Array.from({ length: 32 }, (_, at) => at)
  function pyth(change: (bytes: DataView) => void = () => undefined): Uint8Array {
    const data = new Uint8Array(134)
    data.set([34, 241, 35, 99, 157, 126, 244, 205])
    data.set(feed, 41)
    const at = new DataView(data.buffer)
    data[40] = 1
    at.setBigInt64(73, 15_000_000_000n, true)
    at.setBigUint64(81, 15_000_000n, true)
    at.setInt32(89, -8, true)
    at.setBigInt64(93, BigInt(NOW - 5), true)
    change(at)
    return data
  }
  const source = { ...empty.asset().oracle.sources[0], program: keyOf(5), account: keyOf(6), feedId: feed, maxAgeSecs: 90, maxConfidenceBps: 200, kind: 1, pin: 1, publisher: 1 } as Parameters<typeof sourceOf>[0]
  it('reads a price with its age and confidence', () => {
    expect(sourceOf(source, { owner: keyOf(5), data: pyth() }, NOW)).toMatchObject({ kind: 'pyth', price: '150.000000000', confidence_bps: 10, age_secs: 5, state: 'ok' })
  })
  it('calls an old one old and a wide one wide, by the limits of the source', () => {
    expect(sourceOf(source, { owner: keyOf(5), data: pyth() }, NOW + 86).state).toBe('stale')
    expect(sourceOf({ ...source, maxConfidenceBps: 9 }, { owner: keyOf(5), data: pyth() }, NOW).state).toBe('wide')
  })
  it('refuses another feed, less than a full verification, another owner, and no account', () => {
    expect(readPyth(pyth(), new Uint8Array(32))).toBeNull()
    expect(readPyth(pyth((at) => { at.setUint8(40, 0) }), feed)).toBeNull()
    expect(readSwitchboard(pyth())).toBeNull()
    expect([sourceOf(source, { owner: keyOf(7), data: pyth() }, NOW).state, sourceOf(source, null, NOW).state]).toEqual(['invalid', 'invalid'])
  })
  it.each([
    [15_000_000_000n, -8, '150.000000000'],
    [1n, -18, '0.000000000'],
    [7n, 0, '7.000000000'],
  ])('writes %i at 10^%i as %s', (mantissa, exponent, text) => {
    expect(decimalOf(mantissa, exponent)).toBe(text)
  })
})

describe('the view without a keeper', () => {
  const cell = (at: number, price: bigint) => ({ highQ64: stored((price + 1n) << 64n), lowQ64: stored((price - 1n) << 64n), closeQ64: stored(price << 64n), index: BigInt(Math.floor(NOW / 30) - at), samples: 1n })
  function asset(price: bigint, decimals: number) {
    const zero = empty.asset()
    return empty.asset({
      guard: keyOf(1),
      decimals,
      reference: { ...zero.reference, priceQ64: stored(price << 64n), updatedAtTs: BigInt(NOW - 20), samples: 20n },
      referenceParams: { ...zero.referenceParams, maxAgeSecs: 600, minSamples: 10 },
      window: { ...zero.window, cellSecs: 30, cells: zero.window.cells.map((old, at) => (at < 2 ? cell(at, price) : old)) },
    })
  }
  const sol = { address: keyOf(2), value: asset(150n, 9) }
  const usdc = { address: keyOf(3), value: asset(1n, 6) }
  const zero = empty.vault()
  const stands = empty.vault({
    guard: keyOf(1), collateralAsset: keyOf(2), loanAsset: keyOf(3), collateralDecimals: 9, loanDecimals: 6,
    cashAmount: 600n, debtScaled: stored(400n), borrowIndexQ64: stored(1n << 64n), insuranceAmount: 10n,
    risk: { ...zero.risk, ltvBps: 7_500, softLineBps: 7_800, liquidationLineBps: 8_300 },
  })
  const positions = [{ address: 'p', vault: keyOf(4) as string, owner: 'o', shares: 0n, debtScaled: 120_000_000n, collateral: 1_000_000_000n }]
  const view = viewOfChain({ slot: 5, nowTs: NOW, guard: { address: keyOf(1), value: empty.guard() }, assets: [sol, usdc], vaults: [{ address: keyOf(4), value: stands }], rules: [], groups: [], positions, oracles: new Map(), labels: { [keyOf(2)]: 'SOL', [keyOf(3)]: 'USDC' } })
  it('has no keeper, and a price that is recorded, never agreed', () => {
    expect(view.keeper).toBeNull()
    expect(view.assets.map(({ symbol, price }) => [symbol, price.state, price.mid])).toEqual([['SOL', 'recorded', '150.000000000'], ['USDC', 'recorded', '1.000000000']])
  })
  it('has the vault’s books as the program counts them, and the pair’s price rounded down', () => {
    expect(view.vaults[0]).toMatchObject({ name: 'SOL/USDC', lenders_amount: 990n, utilisation_bps: 4_000, price: { state: 'recorded', hi: '149.999999999' } })
  })
  it('counts positions at the recorded price', () => {
    expect(view.vaults[0]?.positions).toMatchObject({ count: 1, borrowers: 1, soft: 1, liquidatable: 0 })
  })
  it('shows no price that is older than the asset’s reference may be', () => {
    expect(recordedPrice(sol.value, NOW + 581)).toBeNull()
    expect(recordedPrice(empty.asset(), NOW)).toBeNull()
  })
  it('has a past as long as the window', () => {
    expect(windowSamples(sol.value).map(({ price, hi }) => [price, hi])).toEqual([['150.000000000', '151.000000000'], ['150.000000000', '151.000000000']])
  })
  it('tells what a rule is compared with: the high of its window, the reference of its span, the one that it holds, its peg', () => {
    const blank = empty.rule()
    const compared = (params: object, more: object = {}, of: object = {}) => {
      const rule = { address: keyOf(9), value: { ...blank, subject: keyOf(2), params: { ...blank.params, ...params }, ...more } }
      const asset = { ...sol, value: { ...sol.value, ...of } }
      const told = viewOfChain({ slot: 5, nowTs: NOW, guard: { address: keyOf(1), value: empty.guard() }, assets: [asset, usdc], vaults: [], rules: [rule], groups: [], positions: [], oracles: new Map(), labels: {} })
      return [told.rules[0]?.reference_span ?? null, told.rules[0]?.compared_price === null ? null : Number(told.rules[0]?.compared_price)]
    }
    const anchors = [{ priceQ64: stored(140n << 64n), weighedSecs: 14_400n }, { priceQ64: stored(130n << 64n), weighedSecs: 86_399n }]
    expect(compared({ metric: 1, windowSecs: 60 })).toEqual([null, 151])
    // a window that is longer than the memory is unknown
    expect(compared({ metric: 1, windowSecs: 30 * 65 })).toEqual([null, null])
    expect(compared({ metric: 2, referenceSpan: 1 })).toEqual(['short', 150])
    expect(compared({ metric: 2, referenceSpan: 2 }, {}, { anchors })).toEqual(['four_hours', 140])
    expect(compared({ metric: 2, referenceSpan: 3 }, {}, { anchors })).toEqual(['day', null])
    expect(compared({ metric: 2, referenceSpan: 3 }, { held: { priceQ64: stored(120n << 64n), untilTs: BigInt(NOW + 1) } })).toEqual(['day', 120])
    expect(compared({ metric: 10 }, {}, { peg: 2 })).toEqual([null, 1])
  })
  it('tells of which group a rule is part, as whole as the account is', () => {
    const rule = { address: keyOf(9), value: { ...empty.rule(), subject: keyOf(2) } }
    const blank = empty.group()
    const group = { address: keyOf(7), value: { ...blank, id: 4, scope: keyOf(1), rules: [keyOf(9), keyOf(8), ...blank.rules.slice(2)], count: 2, params: { ...blank.params, level: 2 } } }
    const other = { address: keyOf(6), value: { ...blank, rules: [keyOf(8), keyOf(9), ...blank.rules.slice(2)], count: 1 } }
    const told = viewOfChain({ slot: 5, nowTs: NOW, guard: { address: keyOf(1), value: empty.guard() }, assets: [sol, usdc], vaults: [], rules: [rule], groups: [group, other], positions: [], oracles: new Map(), labels: {} })
    expect(told.rules[0]?.groups).toEqual([{ address: keyOf(7), id: 4, level: 2, level_name: 'Reduce only', scope: keyOf(1), rules: [keyOf(9), keyOf(8)], is_in_force: false }])
  })
  it('charges the curve’s rate, rounded up', () => {
    const curve = { baseRateBps: 0, kinkRateBps: 1_000, maxRateBps: 10_000, kinkBps: 8_000, reserveFactorBps: 0 }
    expect([0n, 4_001n, 8_000n, 10_000n].map((at) => rateBps(empty.vault({ curve }), at))).toEqual([0n, 501n, 1_000n, 10_000n])
  })
})

describe('what a limiter lets through', () => {
  const HOUR = 3_600
  const now = 242 * HOUR
  const { loanFlow: blank, limits: { loanFlow: unset } } = empty.vault()
  const limits = { ...unset, absoluteFloorAmount: 1_000n, hourlyBps: 2_000, dailyBps: 4_000, exitShareBps: 6_000, floorReserveBps: 4_000 }
  const base = { ...blank.base, amount: 100_000n, lastTs: BigInt(now), startedTs: BigInt(now) }
  const cells = (at: Record<number, bigint>) => blank.bookings.cells.map((_, hour) => at[hour] ?? 0n)
  const flow = (booked: Record<number, bigint> = {}, left: Record<number, bigint> = {}) => ({
    ...blank,
    base,
    exit: { ...blank.exit, day: { newestHour: 242n, cells: blank.exit.day.cells.map((_, at) => left[at] ?? 0n) } },
    bookings: { ...blank.bookings, hour: 242n, cells: cells(booked), totalAmount: Object.values(booked).reduce((sum, amount) => sum + amount, 0n) },
  })
  const open = { exit: 0, risk: 0 }
  it('leaves what is held back to the exit floor: the program’s own numbers', () => {
    // as `floor_may_use_what_normal_exits_may_not` of the program: 3,600 of 6,000, and 4,000 for new risk
    const told = gaugesOf(flow(), limits, now, open)
    expect([told.exit.hour_usable_amount, told.risk.hour_usable_amount, told.floor?.hour_usable_amount, told.floor?.hour_limit_amount]).toEqual([3_600n, 4_000n, 6_000n, 2_400n])
    expect(gaugesOf(flow(), limits, now, { exit: 1, risk: 1 }).exit.hour_usable_amount).toBe(1_800n)
    expect(gaugesOf(flow(), limits, now, { exit: 2, risk: 3 })).toMatchObject({ exit: { hour_usable_amount: 0n }, risk: { hour_usable_amount: 0n }, floor: { hour_usable_amount: 6_000n } })
  })
  it('leaves what tickets have booked of this hour and the next', () => {
    expect(gaugesOf(flow({ 242: 500n, 243: 100n, 244: 900n }), limits, now, open).exit.hour_usable_amount).toBe(3_000n)
  })
  it('leaves of a day what the widest window with this hour holds', () => {
    // 700 left 24 hours ago (cell 218 % 25): they are gone by the time of the booking of the next hour
    const { bookings, exit } = flow({ 243: 1_000n }, { [218 % 25]: 700n })
    expect(heldBy(bookings, exit.day, now)).toEqual({ hours: 1_000n, day: 300n })
    expect(heldBy(flow({ 243: 1_000n }).bookings, flow().exit.day, now)).toEqual({ hours: 1_000n, day: 1_000n })
    expect(heldBy(flow().bookings, flow().exit.day, now)).toEqual({ hours: 0n, day: 0n })
  })
})
