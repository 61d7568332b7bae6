import type { Result } from '@/lib/lab'
import type { Backtest, Cell, Evaluation, Hedge, Report, Story, Verdict } from '@/lib/schema/lab'

/** A bar of a plot: one value for each series. */
export interface Bars {
  kind: 'bars'
  caption: string
  unit: string
  series: readonly string[]
  rows: readonly { label: string; values: readonly number[] }[]
}

/** A value with the interval that it lies in. */
export interface Ranges {
  kind: 'ranges'
  caption: string
  rows: readonly { label: string; value: number; low: number; high: number }[]
  /** Spells a number. */
  spell: (value: number) => string
}

/** Lines over one axis. */
export interface Lines {
  kind: 'lines'
  caption: string
  x: string
  lines: readonly { name: string; points: readonly (readonly [number, number])[] }[]
}

/** A table: the first column says what the row is of. */
export interface Table {
  title: string
  head: readonly string[]
  rows: readonly { cells: readonly string[]; mark?: 'reference' | 'failed' | 'missed' }[]
}

/** A result as it is shown. */
export interface Shown {
  title: string
  notes: readonly string[]
  plots: readonly (Bars | Ranges | Lines)[]
  tables: readonly Table[]
}

const fixed = (places: number) => (value: number) => value.toFixed(places).replace('-', '−')
const percent = (share: number): string => `${fixed(1)(share * 100)} %`
const ofBps = (bps: number): string => `${fixed(2)(bps / 100)} %`
const range = ({ value, low, high }: { value: number; low: number; high: number }, spell: (value: number) => string): string => `${spell(value)} (${spell(low)} to ${spell(high)})`
const span = (secs: number): string => `${fixed(0)(secs / 60)} min`

function ofBacktest({ title, reference, seed, outcomes, tried }: Backtest): Shown {
  const others = outcomes.filter(({ name }) => name !== reference)
  const head = ['Policy', 'Bad debt, bps a year', 'Less than the reference, bps a year, middle 95 %', 'Forced cost, bps a year', 'Soft cost, bps a year', 'Worst 5 % of weeks, bps', 'Halts, false', 'Halted', 'Warned of events', 'Lead, median', 'Fall ahead, median', 'LTV offered']
  const rows = outcomes.map(({ name, metrics: m, gain }) => ({
    cells: [
      name, fixed(2)(m.bad_debt_bps_year), range({ ...gain, value: gain.mean }, fixed(2)), fixed(1)(m.forced_cost_bps_year), fixed(1)(m.soft_cost_bps_year), fixed(2)(m.es95_week_bps),
      `${m.halts}, ${m.false_halts}`, ofBps(m.halted_bps), `${percent(m.warned_share)} of ${m.events}`, span(m.lead_secs), percent(m.fall_ahead), percent(m.capital_efficiency),
    ],
    ...(name === reference && { mark: 'reference' as const }),
  }))
  const plot: Ranges = { kind: 'ranges', caption: `Bad debt less than ${reference}, bps a year, with the middle 95 %`, rows: others.map(({ name, gain }) => ({ label: name, value: gain.mean, low: gain.low, high: gain.high })), spell: fixed(2) }
  return {
    title,
    notes: [`Seed ${seed}; ${tried.length} configurations tried by the tuning.`, 'A policy that is always tight is warned of everything: read “Warned” with “LTV offered”.'],
    plots: others.length === 0 ? [] : [plot],
    tables: [{ title: 'Results by policy', head, rows }],
  }
}

function ofVerdict(verdict: Verdict): Shown {
  const { cases } = verdict
  const rows = cases.map((one) => ({
    cells: [
      one.is_true_negative ? `${one.name} (nothing happens)` : one.name, one.failed.length === 0 ? 'pass' : `FAIL: ${one.failed.join('; ')}`, String(one.paths),
      fixed(2)(one.bad_debt_bps), fixed(2)(one.unguarded_bps), fixed(2)(one.cost_bps), ofBps(one.halted_bps), String(one.trips),
    ],
    ...(one.failed.length > 0 && { mark: 'failed' as const }),
  }))
  return {
    title: `${verdict.name}: ${verdict.is_passed ? 'passed' : 'FAILED'}`,
    notes: [
      `Mean bad debt ${fixed(3)(verdict.mean_bad_debt_bps)} bps over ${cases.length} cases; seed ${verdict.seed}, draws of each: ${verdict.draws}. Configuration ${verdict.config_sha256}.`,
      ...verdict.failed.map((why) => `FAIL: ${why}`),
      ...verdict.skipped.map((what) => `Skipped: ${what}`),
      ...verdict.unplayed.map((what) => `Not played: ${what}`),
    ],
    plots: [{ kind: 'bars', caption: 'Bad debt of each case’s worst path, bps of the debt at the start', unit: 'bps', series: ['with the guard', 'its lines alone'], rows: cases.map(({ name, bad_debt_bps, unguarded_bps }) => ({ label: name, values: [bad_debt_bps, unguarded_bps] })) }],
    tables: [{ title: 'Cases', head: ['Case', 'Verdict', 'Paths', 'Bad debt, bps', 'Without the guard, bps', 'Cost to owners, bps', 'Held up', 'Trips'], rows }],
  }
}

const METHODS: Readonly<Record<string, string>> = { ewma: 'short, EWMA', ols: 'short, least squares', one_to_one: 'short, one to one', sell: 'sell into the quote asset' }

function ofHedge({ pairs, seed, leak_checks, assumptions }: Hedge): Shown {
  const all = pairs.flatMap((pair) => pair.outcomes.map((outcome) => ({ pair, outcome, label: `${pair.name}: ${METHODS[outcome.method] ?? outcome.method}` })))
  const ranges = (caption: string, of: (outcome: (typeof all)[number]['outcome']) => { value: number; low: number; high: number }): Ranges => ({ kind: 'ranges', caption, rows: all.map(({ label, outcome }) => ({ label, ...of(outcome) })), spell: percent })
  return {
    title: 'Hedging one asset by another',
    notes: [`Seed ${seed}; ${leak_checks} checks that nothing looked ahead. Trades cost ${fixed(1)(assumptions.trade_bps)} bps, selling ${fixed(1)(assumptions.sell_bps)} bps, holding a short ${fixed(0)(assumptions.funding_bps_year)} bps a year.`, 'A study: the program sells into the quote asset, which is the last line of every pair.'],
    plots: [
      ranges('Part of the variance that each way takes away, with 95 % over resampled weeks', ({ variance_cut }) => variance_cut),
      ranges('Part of the worst days that each way takes away, with 95 % over resampled weeks', ({ day_cut }) => day_cut),
    ],
    tables: [
      {
        title: 'Ways to hold less of the risk',
        head: ['Pair and way', 'Held against one', 'Variance cut', 'Worst days without', 'Worst days', 'Worst days cut', 'More than selling', 'Trades a year', 'Trades, bps a year', 'Holding, bps a year'],
        rows: all.map(({ pair, outcome: one, label }) => ({
          cells: [label, fixed(2)(one.held), range(one.variance_cut, percent), percent(pair.unhedged.day), percent(one.worst.day), range(one.day_cut, percent), one.over_selling === null ? '–' : range(one.over_selling, percent), fixed(0)(one.trades_year), fixed(0)(one.cost_bps_year), fixed(0)(one.carry_bps_year)],
        })),
      },
    ],
  }
}

function ofEvaluation({ metrics, test: [from, to], data_sha256 }: Evaluation): Shown {
  const labelOf = ({ task, model }: Evaluation['metrics'][number]) => `${task}: ${model}`
  return {
    title: 'Crash model',
    notes: [`Test ${from} to ${to} by calendar quarter, walked forward. Data ${data_sha256}.`],
    plots: [{ kind: 'ranges', caption: 'Area under the ROC curve, with 95 % over resampled weeks; 0.5 is chance', rows: metrics.map((row) => ({ label: labelOf(row), ...row.auc })), spell: fixed(3) }],
    tables: [
      {
        title: 'Forecasters',
        head: ['Task and forecaster', 'Rows', 'Fell', 'AUC', 'Average precision', 'Brier skill', 'Calibration error'],
        rows: metrics.map((row) => ({ cells: [labelOf(row), String(row.rows), percent(row.base_rate), ...[row.auc, row.average_precision, row.brier_skill, row.calibration_error].map((one) => range(one, fixed(3)))] })),
      },
    ],
  }
}

const whole = (value: number): string => Math.round(value).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',')
const SIDES: readonly [string, (side: Story['guarded']) => string][] = [
  ['Bad debt', ({ bad_debt }) => whole(bad_debt)],
  ['Liquidated', ({ liquidated }) => whole(liquidated)],
  ['Deleveraged softly', ({ deleveraged }) => whole(deleveraged)],
  ['Withdrawn', ({ withdrawn }) => whole(withdrawn)],
  ['Cost to owners', ({ cost }) => whole(cost)],
  ['Held up', ({ halted_bps }) => ofBps(halted_bps)],
  ['Trips', ({ trips }) => String(trips)],
]

function ofStory({ name, seed, guard, guarded, unguarded, path, moments }: Story): Shown {
  const line = (title: string, at: 2 | 3) => ({ name: title, points: path.map((point) => [point[0] / 60, point[at]] as const) })
  return {
    title: `Attack ${name}`,
    notes: [`Seed ${seed}, guard ${guard}. Without: the same lines, no rules, limits or soft deleveraging. Sums are whole tokens of the loan.`],
    plots: [
      { kind: 'lines', caption: 'Lost so far, whole tokens of the loan', x: 'hours', lines: [line('with the guard', 2), line('without', 3)] },
      { kind: 'lines', caption: 'Price, loan for one', x: 'hours', lines: [{ name: 'price', points: path.map(([minute, price]) => [minute / 60, price] as const) }] },
    ],
    tables: [
      { title: 'Sums', head: ['Sum', 'With the guard', 'Without'], rows: SIDES.map(([title, of]) => ({ cells: [title, of(guarded), of(unguarded)] })) },
      {
        title: 'What happened',
        head: ['Minute', 'Price', 'New risk', 'Exits', 'Lost', 'Lost without', 'What'],
        rows: moments.map((one) => ({ cells: [String(one.minute), fixed(4)(one.truth), one.risk, one.exit, whole(one.lost), whole(one.lost_unguarded), one.what.join('; ')] })),
      },
    ],
  }
}

type Axis = readonly [string, (cell: Cell['cell']) => number]
const AXES: readonly Axis[] = [
  ['debt, volumes of five minutes', ({ volumes }) => volumes],
  ['share of the volume', ({ market_share }) => market_share],
  ['impact', ({ impact }) => impact],
  ['latency, s', ({ latency_secs }) => latency_secs],
  ['LTV, bps', ({ ltv_bps }) => ltv_bps],
  ['soft quota, bps an hour', ({ soft_quota_bps }) => soft_quota_bps],
  ['drawdown, bps', ({ drawdown_bps }) => drawdown_bps],
  ['window, s', ({ window_secs }) => window_secs],
]

/** The mean bad debt of all cells with the same value on an axis; null where the axis has one value. */
function along([x, at]: Axis, cells: readonly Cell[]): Lines | null {
  const values = [...new Set(cells.map(({ cell }) => at(cell)))].sort((a, b) => a - b)
  if (values.length < 2) return null
  const mean = (value: number) => {
    const own = cells.filter(({ cell }) => at(cell) === value)
    return own.reduce((sum, { metrics }) => sum + metrics.bad_debt_bps_year, 0) / own.length
  }
  return { kind: 'lines', caption: `Bad debt by ${x}, bps a year, mean of the cells`, x, lines: [{ name: 'bad debt', points: values.map((value) => [value, mean(value)] as const) }] }
}

function ofSweep(cells: readonly Cell[]): Shown {
  return {
    title: 'Sweep',
    notes: [`${cells.length} cells of plan ${cells[0]?.plan ?? ''}.`],
    plots: AXES.flatMap((axis) => along(axis, cells) ?? []),
    tables: [
      {
        title: 'Cells',
        head: ['Cell', ...AXES.map(([name]) => name), 'seed', 'bad debt, bps a year', 'worst 5 % of weeks, bps', 'halted'],
        rows: cells.map(({ number, cell, metrics }) => ({ cells: [String(number), ...AXES.map(([, at]) => String(at(cell))), String(cell.seed), fixed(1)(metrics.bad_debt_bps_year), fixed(2)(metrics.es95_week_bps), ofBps(metrics.halted_bps)] })),
      },
    ],
  }
}

/** Tables of all sections, each under its section's name; what was missed among the targets stands out. */
function ofReport({ title, sections }: Report): Shown {
  const named = (section: string, text: string) => (text === '' || text === section ? section : `${section}: ${text}`)
  return {
    title,
    notes: sections.flatMap((section) => section.notes.map((note) => named(section.title, note))),
    plots: [],
    tables: sections.flatMap((section) =>
      section.tables.map(({ caption, head, rows }) => ({
        title: named(section.title, caption),
        head,
        rows: rows.map((cells) => ({ cells, ...(section.kind === 'targets' && cells.at(-1) === 'missed' && { mark: 'missed' as const }) })),
      })),
    ),
  }
}

/** Returns a result as it is shown: a title, what it was made with, plots, and every number in tables. */
export function shownOf(result: Result): Shown {
  switch (result.kind) {
    case 'backtest':
      return ofBacktest(result.backtest)
    case 'validate':
      return ofVerdict(result.verdict)
    case 'hedge':
      return ofHedge(result.hedge)
    case 'evaluate':
      return ofEvaluation(result.evaluation)
    case 'attack run':
      return ofStory(result.story)
    case 'sweep':
      return ofSweep(result.cells)
    case 'report':
      return ofReport(result.report)
  }
}
