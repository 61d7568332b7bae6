import { fetchKeptSince } from '@/features/live/api/client'
import { useAccounts } from '@/features/live/api/useAccounts'
import { asFailure } from '@/features/live/api/usePolled'
import { RuleGroups } from '@/features/rules/components/RuleGroups'
import { RuleSources } from '@/features/rules/components/RuleSources'
import { Rules } from '@/features/rules/components/Rules'
import { WhatIf } from '@/features/rules/components/WhatIf'
import { KINDS } from '@/lib/accounts'
import type { PageProps } from '@/routes/Page'

const MONTH_SECS = 30 * 86_400

/** Every rule: value, threshold, distance, streak, what it is measured on, and what another threshold would have done. */
export function RulesPage({ live, view }: PageProps) {
  const rules = useAccounts(KINDS.rule)
  const samplesOf = (subject: string) => {
    const query = `?subject=${encodeURIComponent(subject)}&from=${live.nowTs - MONTH_SECS}`
    return fetchKeptSince('samples', query, new AbortController().signal)
  }
  return (
    <div className="stack">
      <h1>Rules</h1>
      <Rules view={view} nowTs={live.nowTs} />
      <RuleGroups view={view} />
      <WhatIf view={view} samplesOf={samplesOf} failureOf={asFailure} />
      <RuleSources view={view} rules={rules.value} />
    </div>
  )
}
