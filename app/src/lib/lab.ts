import * as v from 'valibot'
import { BadShape } from '@/lib/failure'
import { parse } from '@/lib/parse'
import { Backtest, Cell, Envelope, Evaluation, Hedge, Report, Story, Verdict } from '@/lib/schema/lab'

/** A result of the lab, by the command that wrote it. Source: `Found` of `keeper/lab/src/report/read.rs`. */
export type Result =
  | { kind: 'backtest'; backtest: Backtest }
  | { kind: 'validate'; verdict: Verdict }
  | { kind: 'hedge'; hedge: Hedge }
  | { kind: 'evaluate'; evaluation: Evaluation }
  | { kind: 'attack run'; story: Story }
  | { kind: 'sweep'; cells: Cell[] }
  | { kind: 'report'; report: Report }

/** A result with where it came from. */
export interface Run {
  /** The file, or its address. */
  origin: string
  result: Result
}

const WHO = 'The lab'

/** What tells the kinds apart: a field that no other has. */
const KINDS: readonly [string, (value: unknown) => Result][] = [
  ['outcomes', (value) => ({ kind: 'backtest', backtest: parse(Backtest, value, WHO) })],
  ['cases', (value) => ({ kind: 'validate', verdict: parse(Verdict, value, WHO) })],
  ['leaks', (value) => ({ kind: 'evaluate', evaluation: parse(Evaluation, value, WHO) })],
  ['moments', (value) => ({ kind: 'attack run', story: parse(Story, value, WHO) })],
  ['leak_checks', (value) => ({ kind: 'hedge', hedge: parse(Hedge, value, WHO) })],
  ['sections', (value) => ({ kind: 'report', report: parse(Report, value, WHO) })],
  ['cell', (value) => ({ kind: 'sweep', cells: [parse(Cell, value, WHO)] })],
]

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Cells of a sweep stand a line each. */
function cellsOf(text: string): Cell[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw new BadShape('its top (it is empty)', WHO)
  return lines.map((line) => parse(Cell, json(line), WHO)).sort((a, b) => a.number - b.number)
}

/** Reads a file of the lab, bare or in the envelope of `--json`. Throws `BadShape` for anything else. */
export function readResult(text: string): Result {
  const whole = json(text)
  if (whole === undefined) return { kind: 'sweep', cells: cellsOf(text) }
  const envelope = v.safeParse(Envelope, whole)
  const value: unknown = envelope.success ? envelope.output.data : whole
  const found = KINDS.find(([field]) => typeof value === 'object' && value !== null && field in value)
  if (found === undefined) throw new BadShape('its top (no command of the lab writes such a file)', WHO)
  return found[1](value)
}
