import { describe, expect, it } from 'vitest'
import { causesOf, levelAt, levelsOf } from '@/lib/chain/breaker'
import { baseAt, hourUsed } from '@/lib/chain/flow'
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
  const view = viewOfChain({ slot: 5, nowTs: NOW, guard: { address: keyOf(1), value: empty.guard() }, assets: [sol, usdc], vaults: [{ address: keyOf(4), value: stands }], rules: [], positions, oracles: new Map(), labels: { [keyOf(2)]: 'SOL', [keyOf(3)]: 'USDC' } })
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
  it('charges the curve’s rate, rounded up', () => {
    const curve = { baseRateBps: 0, kinkRateBps: 1_000, maxRateBps: 10_000, kinkBps: 8_000, reserveFactorBps: 0 }
    expect([0n, 4_001n, 8_000n, 10_000n].map((at) => rateBps(empty.vault({ curve }), at))).toEqual([0n, 501n, 1_000n, 10_000n])
  })
})
