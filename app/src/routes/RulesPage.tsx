import { RuleSources } from '@/features/rules/components/RuleSources'
import { Rules } from '@/features/rules/components/Rules'
import type { PageProps } from '@/routes/Page'

/** Every rule: value, threshold, distance, streak, and what it is measured on. */
export function RulesPage({ live, view }: PageProps) {
  return (
    <div className="stack">
      <h1>Rules</h1>
      <Rules view={view} nowTs={live.nowTs} />
      <RuleSources view={view} />
    </div>
  )
}
