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
const accountOf = ({ accounts }: Told, name: string): string | undefined => accounts.find((account) => account.name === name)?.meta.pubkey ?? undefined

function proposed(told: Told): { group: number; target: string; next: unknown } | null {
  const { change } = told.args as { change?: { __kind: string; fields: readonly unknown[] } }
  const [group, target] = [change === undefined ? null : groupOfKind(change.__kind), accountOf(told, 'target')]
  return change === undefined || group === null || target === undefined ? null : { group, target, next: change.fields[0] }
}

/** Instructions that put a whole value in place at once, with its group and the account's name. */
const AT_ONCE: Readonly<Record<string, { group: number; account: string }>> = {
  'tighten rule': { group: 4, account: 'rule' },
  'tighten aggregate': { group: 10, account: 'aggregate' },
  'tighten swap policy': { group: 15, account: 'policy' },
}

/** Groups of a vault of which one instruction tightens what has a strict side. */
const OF_VAULT: readonly number[] = [1, 2, 18]

/** What a vault would hold of a group: its own values with those of the instruction in their place. */
function tightened(group: number, current: unknown, args: Readonly<Record<string, unknown>>): unknown {
  if (group === 18) return args.scale
  if (typeof current !== 'object' || current === null) return undefined
  return Object.fromEntries(Object.entries(current).map(([key, value]) => [key, key in args ? args[key] : (value as unknown)]))
}

const against = (group: number, target: string, current: unknown, next: unknown): ToldChange => ({
  group,
  target,
  current,
  next,
  direction: current === undefined ? null : directionOf(group, current, next),
  ...movesBetween(group, current, next),
})

/** What an instruction puts in place at once; none where the account isn't read, so that its arguments tell. */
function atOnce(told: Told, targets: Targets): ToldChange[] {
  const args = told.args as Readonly<Record<string, unknown>>
  const one = AT_ONCE[told.name ?? '']
  const target = accountOf(told, one?.account ?? 'vault')
  if (target === undefined) return []
  if (one !== undefined) {
    const current = currentOf(one.group, targets, target)
    return current === undefined ? [] : [against(one.group, target, current, args.params)]
  }
  if (told.name !== 'tighten vault' || currentOf(1, targets, target) === undefined) return []
  const all = OF_VAULT.map((group) => {
    const current = currentOf(group, targets, target)
    return against(group, target, current, tightened(group, current, args))
  })
  return all.filter(({ moves }) => moves.length > 0)
}

/** Returns what an instruction changes, against what stands; nothing for other instructions, and for a change that isn't known. */
export function changesOf(told: Told, targets: Targets, changes: readonly Held<PendingChange>[]): ToldChange[] {
  if (told.name === 'propose change') {
    const found = proposed(told)
    return found === null ? [] : [against(found.group, found.target, currentOf(found.group, targets, found.target), found.next)]
  }
  const pending = ABOUT.includes(told.name ?? '') ? changes.find(({ address }) => address === accountOf(told, 'change'))?.value : undefined
  if (pending === undefined) return atOnce(told, targets)
  const { group, target, direction } = pending
  const [current, next] = [currentOf(group, targets, target), nextOf(pending)]
  return next === undefined ? [] : [{ ...against(group, target, current, next), direction }]
}

/** Instructions whose arguments are the fields of one account, with the account's name. */
const SPELLED: Readonly<Record<string, string>> = { 'tighten vault': 'vault', 'tighten rule': 'rule' }

/** Returns the account that an instruction's arguments are spelled by; null where their names alone say the unit. */
export function spelledBy(told: Told): string | null {
  return accountOf(told, SPELLED[told.name ?? ''] ?? '') ?? null
}

/** Returns the arguments of an instruction, without a value that is told apart. */
export function argsOf(told: Told, changes: readonly ToldChange[]): unknown {
  if (changes.length === 0 || typeof told.args !== 'object' || told.args === null) return told.args
  const apart = told.name === 'tighten vault' ? Object.keys(told.args).filter((key) => key !== 'validity') : ['change', 'params']
  return Object.fromEntries(Object.entries(told.args).filter(([key]) => !apart.includes(key)))
}
