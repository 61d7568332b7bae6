import { Decisions } from '@/features/keepers/components/Decisions'
import { Judged } from '@/features/keepers/components/Judged'
import { Keepers } from '@/features/keepers/components/Keepers'
import { MedianHistory } from '@/features/keepers/components/MedianHistory'
import { Medians } from '@/features/keepers/components/Medians'
import { Members } from '@/features/keepers/components/Members'
import { ScoreHistory } from '@/features/keepers/components/ScoreHistory'
import { useAccounts, useKept } from '@/features/live/api/useAccounts'
import { KINDS } from '@/lib/accounts'
import { mediansOf } from '@/lib/score'
import type { PageProps } from '@/routes/Page'

/** The keepers: who lives, what they report, where they agree, and what became of what they sent. */
export function KeepersPage({ live, view }: PageProps) {
  const sets = useAccounts(KINDS.keeperSet)
  const reports = useAccounts(KINDS.report)
  const scores = useKept('reports', '?limit=500')
  const decisions = useKept('decisions', '?limit=50')
  const set = sets.value === null ? undefined : (sets.value[0]?.value ?? null)
  const medians = set && reports.value ? mediansOf(set, reports.value, live.nowTs) : null
  return (
    <div className="stack">
      <h1>Keepers</h1>
      <Keepers view={view} nowTs={live.nowTs} hasBudgets />
      <Judged view={view} />
      <Medians medians={medians} failure={sets.failure ?? reports.failure} view={view} />
      <MedianHistory set={set} rows={scores.value} failure={sets.failure ?? scores.failure} view={view} />
      <ScoreHistory rows={scores.value} failure={scores.failure} view={view} />
      <Members set={set} reports={reports.value} failure={sets.failure ?? reports.failure} view={view} nowTs={live.nowTs} />
      <Decisions rows={decisions.value} failure={decisions.failure} view={view} nowTs={live.hostTs} />
    </div>
  )
}
