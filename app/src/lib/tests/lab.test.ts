import { describe, expect, it } from 'vitest'
import { readResult } from '@/lib/lab'
import { type Ranges, shownOf } from '@/lib/labShown'
import attack from '@/testing/lab/attack.json?raw'
import backtest from '@/testing/lab/backtest.json?raw'
import hedge from '@/testing/lab/hedge.json?raw'
import sweep from '@/testing/lab/sweep.jsonl?raw'
import validate from '@/testing/lab/validate.json?raw'

// by the lab's own commands, shortened: `backtest --on generated`, `validate deploy/guards/sol.toml --without-data`,
// `attack run flash-crash`, `hedge --on generated`, `sweep`
const FILES: [string, string][] = [['backtest', backtest], ['validate', validate], ['attack run', attack], ['hedge', hedge], ['sweep', sweep]]

const interval = { value: 0.7, low: 0.6, high: 0.8 }
const evaluation = { data_sha256: 'd', test: ['2023-01-01', '2024-01-01'], metrics: [{ model: 'ours', task: '24 h', rows: 9, base_rate: 0.1, auc: interval, average_precision: interval, brier_skill: interval, calibration_error: interval }], leaks: {} }

describe('a file of the lab', () => {
  it.each(FILES)('of %s is known by what it holds, with a title and every number in a table', (kind, text) => {
    const result = readResult(text)
    expect(result.kind).toBe(kind)
    const { title, tables, plots } = shownOf(result)
    expect([title !== '', plots.length > 0, tables.length > 0]).toEqual([true, true, true])
    for (const { head, rows } of tables) {
      expect(rows.length).toBeGreaterThan(0)
      expect(rows.every(({ cells }) => cells.length === head.length && cells.every((cell) => cell !== '' && !/NaN|undefined|Infinity/.test(cell)))).toBe(true)
    }
  })
  it('of evaluate, too', () => {
    expect(shownOf(readResult(JSON.stringify(evaluation))).tables[0]?.rows).toEqual([{ cells: ['24 h: ours', '9', '10.0 %', ...Array<string>(4).fill('0.700 (0.600 to 0.800)')] }])
  })
  it('is as good in the envelope of --json', () => {
    expect(readResult(JSON.stringify({ schema: 1, version: '0.1.0', command: 'lab', data: JSON.parse(validate) as unknown }))).toEqual(readResult(validate))
  })
  it.each([
    ['', 'The lab\'s answer can\'t be read at its top (it is empty).'],
    ['{}', 'The lab\'s answer can\'t be read at its top (no command of the lab writes such a file).'],
    ['[1]', 'The lab\'s answer can\'t be read at its top (no command of the lab writes such a file).'],
    ['{"cases":[]}', /^The lab's answer can't be read at name /],
    [validate.replace('"trips": 2', '"trips": "two"'), /^The lab's answer can't be read at cases\.0\.trips /],
  ])('is refused for %j', (text, why) => {
    expect(() => readResult(text)).toThrow(why)
  })
})

describe('what is shown', () => {
  it('of a verdict is each case with the guard and without, and what wasn’t played', () => {
    const { title, notes, plots, tables } = shownOf(readResult(validate))
    expect(title).toBe('SOL/USDC: passed')
    expect(notes).toContain('Skipped: ftx: no recorded markets')
    expect(notes).toContain('Not played: caps (the pool is as large as its market)')
    expect(plots[0]).toMatchObject({ kind: 'bars', series: ['with the guard', 'its lines alone'] })
    expect(tables[0]?.rows[0]?.cells).toEqual(['flash-crash', 'pass', '1', '0.32', '0.32', '11.54', '0.94 %', '2'])
  })
  it('of a verdict that failed says so in its title and its row', () => {
    const failed = JSON.parse(validate) as { is_passed: boolean; failed: string[]; cases: { failed: string[] }[] }
    failed.is_passed = false
    failed.failed = ['mean bad debt is over 150 bps']
    failed.cases[0]?.failed.push('bad debt is over 1,500 bps')
    const { title, notes, tables } = shownOf(readResult(JSON.stringify(failed)))
    expect([title, notes[1]]).toEqual(['SOL/USDC: FAILED', 'FAIL: mean bad debt is over 150 bps'])
    expect(tables[0]?.rows[0]).toMatchObject({ mark: 'failed' })
    expect(tables[0]?.rows[0]?.cells[1]).toBe('FAIL: bad debt is over 1,500 bps')
  })
  it('of a hedge is what each way holds, and selling beside it', () => {
    const { tables } = shownOf(readResult(hedge))
    expect(tables[0]?.rows.map(({ cells }) => [cells[0], cells[1]]).slice(0, 4)).toEqual([
      ['generated-1/factor: short, EWMA', '1.20'],
      ['generated-1/factor: short, least squares', '1.20'],
      ['generated-1/factor: short, one to one', '1.00'],
      ['generated-1/factor: sell into the quote asset', '0.35'],
    ])
  })
  it('of a backtest leaves the reference out of the plot, and marks it in the table', () => {
    const { plots, tables } = shownOf(readResult(backtest))
    const reference = tables[0]?.rows.find(({ mark }) => mark === 'reference')?.cells[0]
    expect(reference).toMatch(/^static tuned/)
    expect((plots[0] as Ranges).rows.map(({ label }) => label)).not.toContain(reference)
  })
  it('of a sweep is the mean along each axis that varies', () => {
    expect(shownOf(readResult(sweep)).plots.map((plot) => plot.kind === 'lines' && plot.x)).toEqual(['debt, volumes of five minutes', 'LTV, bps', 'drawdown, bps'])
  })
})
