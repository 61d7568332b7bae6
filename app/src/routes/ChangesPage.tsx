import { ChangeActions } from '@/features/changes/components/ChangeActions'
import { Changes } from '@/features/changes/components/Changes'
import { Decoder } from '@/features/changes/components/Decoder'
import { People } from '@/features/changes/components/People'
import { useAccounts } from '@/features/live/api/useAccounts'
import { KINDS } from '@/lib/accounts'
import type { Targets } from '@/lib/change'
import type { PageProps } from '@/routes/Page'

/** The queue of changes, who decides on them, and how to act. */
export function ChangesPage({ live, view }: PageProps) {
  const changes = useAccounts(KINDS.change)
  const guards = useAccounts(KINDS.guard)
  const vaults = useAccounts(KINDS.vault)
  const rules = useAccounts(KINDS.rule)
  const assets = useAccounts(KINDS.asset)
  const policies = useAccounts(KINDS.policy)
  const reserves = useAccounts(KINDS.reserve)
  const keeperSets = useAccounts(KINDS.keeperSet)
  const targets: Targets = {
    guards: guards.value ?? [],
    vaults: vaults.value ?? [],
    rules: rules.value ?? [],
    assets: assets.value ?? [],
    policies: policies.value ?? [],
    reserves: reserves.value ?? [],
  }
  const guard = targets.guards[0]?.value
  return (
    <div className="stack">
      <h1>Changes</h1>
      <Changes
        changes={changes.value}
        failure={changes.failure ?? guards.failure}
        targets={targets}
        view={view}
        nowTs={live.nowTs}
        actions={(change, guard) => <ChangeActions change={change} guard={guard} nowTs={live.nowTs} keeperSet={keeperSets.value?.[0]?.address ?? null} />}
      />
      {guard !== undefined && <People guard={guard} />}
      <Decoder />
    </div>
  )
}
