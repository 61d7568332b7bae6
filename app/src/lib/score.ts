import type { KeeperMember, KeeperSet, Report } from '@/generated'
import type { Held } from '@/lib/accounts'
import type { Kept } from '@/lib/schema/kept'

/** Parts of a report in the order shown; `danger` is the side on which a part is dangerous. */
export const PARTS = [
  { key: 'scoreBps', column: 'score_bps', name: 'Score', danger: 'above' },
  { key: 'volatilityBps', column: 'volatility_bps', name: 'Volatility', danger: 'above' },
  { key: 'liquidityBps', column: 'liquidity_bps', name: 'Liquidity', danger: 'below' },
  { key: 'correlationBps', column: 'correlation_bps', name: 'Correlation', danger: 'above' },
  { key: 'anomalyBps', column: 'anomaly_bps', name: 'Anomaly', danger: 'above' },
  { key: 'systemHealthBps', column: 'system_health_bps', name: 'Own sources', danger: 'below' },
] as const

/** Name of a part in an account. */
export type Part = (typeof PARTS)[number]['key']

/** Role of a member whose reports count. Source: `KeeperRole::Reporter`. */
const REPORTER = 1
/** The least quorum. Source: `MIN_KEEPER_QUORUM`. */
const MIN_QUORUM = 3

/** Returns the members of a set that are in use. */
export function membersOf(set: KeeperSet): KeeperMember[] {
  return set.members.slice(0, set.count)
}

/** Tells whether a member's reports count now. */
export function countsAt(member: KeeperMember, nowTs: number): boolean {
  return member.role === REPORTER && Number(member.activeFromTs) <= nowTs
}

/** Returns the quorum of some reporters: two of three and one more, at least three. Source: `quorum_of`. */
export function quorumOf(reporters: number): number {
  return Math.max(MIN_QUORUM, Math.floor((reporters * 2) / 3) + 1)
}

/** Tells whether a report counts: of this epoch, and not too old. */
export function isFresh(set: KeeperSet, report: Report, nowTs: number): boolean {
  return report.setEpoch === set.epoch && Number(report.observedAtTs) >= nowTs - set.maxAgeSecs
}

/** What the reports about one subject come to. */
export interface Median {
  /** Address of the asset or vault. */
  subject: string
  /** Fresh reports that count. */
  fresh: number
  /** How many have to. */
  quorum: number
  /** The lower median of each part, bps; null without a quorum or where the reports are no one opinion. */
  parts: Record<Part, number | null>
  /** Gap between the ends of the scores' middle half, bps; null without a quorum. */
  spreadBps: number | null
}

const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b)

/** Returns the gap between the ends of the middle half. */
function spreadOf(values: readonly number[]): number {
  const cut = Math.floor(values.length / 4)
  return (values[values.length - 1 - cut] ?? 0) - (values[cut] ?? 0)
}

/** Returns the median: of an even number the one further from danger. As `Ballots::median` of the program. */
function medianOf(values: readonly number[], danger: 'above' | 'below'): number | null {
  const at = danger === 'below' ? Math.floor(values.length / 2) : Math.floor((values.length - 1) / 2)
  return values[at] ?? null
}

/** What the reports about a subject came to at a moment, by part; null where there was no quorum or no one opinion. */
export interface PastMedian {
  /** Unix seconds. */
  ts: number
  parts: Record<Part, number | null>
}

/** The present set's reporters at a moment. */
const reportersAt = (set: KeeperSet, ts: number): Set<string> => new Set(membersOf(set).filter((member) => countsAt(member, ts)).map(({ key }) => key))

function partsOf(set: KeeperSet, quorum: number, counted: readonly Kept[]): Record<Part, number | null> {
  const part = ({ key, column, danger }: (typeof PARTS)[number]): [Part, number | null] => {
    const values = ascending(counted.flatMap((row) => row[column] ?? []))
    const agree = values.length >= quorum && spreadOf(values) <= set.maxSpreadBps
    return [key, agree ? medianOf(values, danger) : null]
  }
  return Object.fromEntries(PARTS.map(part)) as Record<Part, number | null>
}

/**
 * Returns the medians over time that kept reports come to, oldest first, by subject: at each report, of the newest one of
 * each member that was fresh then.
 *
 * Past sets aren't kept: the present one is taken for all of the time.
 */
export function mediansOver(set: KeeperSet, rows: readonly Kept[]): Map<string, PastMedian[]> {
  const bySubject = new Map<string, PastMedian[]>()
  const newest = new Map<string, Map<string, Kept>>()
  for (const row of rows.toSorted((a, b) => a.at_ms - b.at_ms)) {
    const { subject, reporter } = row
    if (subject === null || reporter === null) continue
    const ts = Math.floor(row.at_ms / 1_000)
    const own = newest.get(subject) ?? new Map<string, Kept>()
    newest.set(subject, own.set(reporter, row))
    const reporters = reportersAt(set, ts)
    const counted = [...own].filter(([key, { observed_at_ts }]) => reporters.has(key) && observed_at_ts !== null && observed_at_ts >= ts - set.maxAgeSecs)
    const median = { ts, parts: partsOf(set, quorumOf(reporters.size), counted.map(([, last]) => last)) }
    const past = bySubject.get(subject)
    if (past === undefined) bySubject.set(subject, [median])
    else past.push(median)
  }
  return bySubject
}

/** Returns what the fresh reports of the counted members come to, for each subject that anybody reported on. */
export function mediansOf(set: KeeperSet, reports: readonly Held<Report>[], nowTs: number): Median[] {
  const reporters = membersOf(set).filter((member) => countsAt(member, nowTs))
  const keys = new Set<string>(reporters.map(({ key }) => key))
  const quorum = quorumOf(reporters.length)
  const subjects = [...new Set(reports.map(({ value }) => value.subject as string))]
  return subjects.map((subject) => {
    const counted = reports.map(({ value }) => value).filter((r) => r.subject === subject && keys.has(r.keeper) && isFresh(set, r, nowTs))
    const hasQuorum = counted.length >= quorum
    const part = ({ key, danger }: (typeof PARTS)[number]): [Part, number | null] => {
      const values = ascending(counted.map(({ parts }) => parts[key]))
      return [key, hasQuorum && spreadOf(values) <= set.maxSpreadBps ? medianOf(values, danger) : null]
    }
    const scores = ascending(counted.map(({ parts }) => parts.scoreBps))
    const parts = Object.fromEntries(PARTS.map(part)) as Record<Part, number | null>
    return { subject, fresh: counted.length, quorum, parts, spreadBps: hasQuorum ? spreadOf(scores) : null }
  })
}
