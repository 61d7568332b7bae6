import type { PendingChange } from '@/generated'
import type { Held } from '@/lib/accounts'
import type { Told } from '@/lib/blob'
import { type Moved, type Targets, currentOf, groupOfKind, movesBetween, nextOf } from '@/lib/change'
import { directionOf } from '@/lib/direction'

/** A change that an instruction proposes, or does something with. */
export interface ToldChange extends Moved {
  group: number
  /** Address of the account that it is about. */
  target: string
  /** What the account holds now; undefined where it wasn't read. */
  current: unknown
  /** What it shall hold. */
  next: unknown
  /** Number of the direction; null where nothing can be compared. */
  direction: number | null
}

/** Instructions about one pending change. */
const ABOUT: readonly string[] = ['veto change', 'cancel change', 'execute change', 'accept root']
const accountOf = ({ accounts }: Told, name: string): string | undefined => accounts.find((account) => account.name === name)?.meta.pubkey

function proposed(told: Told): { group: number; target: string; next: unknown } | null {
  const { change } = told.args as { change?: { __kind: string; fields: readonly unknown[] } }
  const [group, target] = [change === undefined ? null : groupOfKind(change.__kind), accountOf(told, 'target')]
  return change === undefined || group === null || target === undefined ? null : { group, target, next: change.fields[0] }
}

/** Returns the change that an instruction is about, against what stands; null for other instructions, and for a change that isn't known. */
export function changeOf(told: Told, targets: Targets, changes: readonly Held<PendingChange>[]): ToldChange | null {
  if (told.name === 'propose change') {
    const found = proposed(told)
    if (found === null) return null
    const current = currentOf(found.group, targets, found.target)
    const direction = current === undefined ? null : directionOf(found.group, current, found.next)
    return { ...found, current, direction, ...movesBetween(found.group, current, found.next) }
  }
  const pending = ABOUT.includes(told.name ?? '') ? changes.find(({ address }) => address === accountOf(told, 'change'))?.value : undefined
  if (pending === undefined) return null
  const { group, target, direction } = pending
  const [current, next] = [currentOf(group, targets, target), nextOf(pending)]
  return next === undefined ? null : { group, target, current, next, direction, ...movesBetween(group, current, next) }
}

/** Instructions whose arguments are the fields of one account, with the account's name. */
const SPELLED: Readonly<Record<string, string>> = { 'tighten vault': 'vault', 'tighten rule': 'rule' }

/** Returns the account that an instruction's arguments are spelled by; null where their names alone say the unit. */
export function spelledBy(told: Told): string | null {
  return accountOf(told, SPELLED[told.name ?? ''] ?? '') ?? null
}

/** Returns the arguments of an instruction, without a change that is told apart. */
export function argsOf(told: Told, change: ToldChange | null): unknown {
  if (told.name !== 'propose change' || change === null) return told.args
  return Object.fromEntries(Object.entries(told.args as object).filter(([key]) => key !== 'change'))
}
