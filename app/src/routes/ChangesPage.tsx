import type { Instruction } from '@solana/kit'
import type { ComponentProps } from 'react'
import { useMade } from '@/components/useMade'
import { env } from '@/config/env'
import { Act } from '@/features/act/components/Act'
import { Outcomes } from '@/features/act/components/Outcomes'
import { ChangeActions } from '@/features/changes/components/ChangeActions'
import { Changes } from '@/features/changes/components/Changes'
import { Decoder } from '@/features/changes/components/Decoder'
import { People } from '@/features/changes/components/People'
import { Propose } from '@/features/changes/components/Propose'
import { Pauses } from '@/features/pauses/components/Pauses'
import { useAccounts, useRows } from '@/features/live/api/useAccounts'
import { KINDS } from '@/lib/accounts'
import type { Targets } from '@/lib/change'
import { keeperSetOf } from '@/lib/exported'
import type { Failure } from '@/lib/failure'
import { contextOf } from '@/lib/field'
import { fetchTables } from '@/lib/tables'
import type { PageProps } from '@/routes/Page'

/** Group of a vault's lines: its effect is tried on a sample of the vault's positions. */
const LINES = 1

function WithSample(props: Omit<ComponentProps<typeof ChangeActions>, 'rows' | 'failure'>) {
  const rows = useRows(props.change.value.target)
  return <ChangeActions {...props} rows={rows.value?.rows} failure={rows.failure} />
}

/** The queue of changes, pauses, who decides on them, and how to act. */
export function ChangesPage({ live, view }: PageProps) {
  const changes = useAccounts(KINDS.change)
  const guards = useAccounts(KINDS.guard)
  const vaults = useAccounts(KINDS.vault)
  const rules = useAccounts(KINDS.rule)
  const assets = useAccounts(KINDS.asset)
  const policies = useAccounts(KINDS.policy)
  const reserves = useAccounts(KINDS.reserve)
  const aggregates = useAccounts(KINDS.aggregate)
  const integrations = useAccounts(KINDS.integration)
  const targets: Targets = {
    guards: guards.value ?? [],
    vaults: vaults.value ?? [],
    rules: rules.value ?? [],
    assets: assets.value ?? [],
    policies: policies.value ?? [],
    reserves: reserves.value ?? [],
    aggregates: aggregates.value ?? [],
    integrations: integrations.value ?? [],
  }
  const held = targets.guards[0]
  const guard = held?.value
  const keeperSet = useMade(held?.address ?? '', () => keeperSetOf(held?.address ?? ''))
  // whichever of them can't be read any more, values that are may be those that were
  const firstOf = (all: readonly { failure: Failure | null }[]) => all.map(({ failure }) => failure).find((failure) => failure !== null) ?? null
  const staleness = firstOf([guards, vaults, rules, assets, policies, reserves, aggregates, integrations])
  const act = (order: { what: string; instructions: readonly Instruction[]; authority: string }) => <Act {...order} contextOf={(address) => contextOf(view, address, targets)} />
  return (
    <div className="stack">
      <h1>Changes</h1>
      <Outcomes />
      <Changes
        changes={changes.value}
        failure={changes.failure ?? guards.failure}
        staleness={staleness}
        targets={targets}
        view={view}
        nowTs={live.nowTs}
        actions={(change, guard) => {
          const common = { change, guard, nowTs: live.nowTs, keeperSet, targets, act }
          return change.value.group === LINES ? <WithSample {...common} /> : <ChangeActions {...common} rows={undefined} failure={null} />
        }}
      />
      <Pauses guard={held} targets={targets} view={view} nowTs={live.nowTs} failure={firstOf([guards, vaults, assets, integrations])} act={act} />
      {held !== undefined && <Propose guard={held} targets={targets} view={view} nowTs={live.nowTs} failure={staleness} act={act} />}
      {guard !== undefined && <People guard={guard} />}
      <Decoder targets={targets} changes={changes.value ?? []} view={view} readTables={(addresses) => fetchTables(env.rpc, addresses, new AbortController().signal)} />
    </div>
  )
}
