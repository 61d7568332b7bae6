import { type Decoder, type ReadonlyUint8Array, getAddressDecoder, getU32Decoder, getU8Decoder } from '@solana/kit'
import * as generated from '@/generated'
import type { AggregateLimit, Asset, ChangeArgs, Guard, Integration, PendingChange, Reserve, Rule, SwapPolicy, Vault } from '@/generated'
import { type Held, u128 } from '@/lib/accounts'

/** The accounts that a change may be about, as far as they were read. */
export interface Targets {
  guards: readonly Held<Guard>[]
  vaults: readonly Held<Vault>[]
  rules: readonly Held<Rule>[]
  assets: readonly Held<Asset>[]
  policies: readonly Held<SwapPolicy>[]
  reserves: readonly Held<Reserve>[]
  aggregates: readonly Held<AggregateLimit>[]
  integrations: readonly Held<Integration>[]
}

/** What an account holds of a group now; undefined where it wasn't read. */
type Current = (targets: Targets, target: string) => unknown

/** A group's name in the program's enum. */
export type ChangeKind = ChangeArgs['__kind']

interface Group {
  kind: ChangeKind
  /** What changes together, in words. */
  name: string
  /** Reads the value that shall be. */
  decoder: Decoder<unknown>
  /** Returns the value that is. */
  current: Current
  /** What execution tries first. */
  effect: string
}

const at = <T>(held: readonly Held<T>[], target: string): T | undefined => held.find(({ address }) => address === target)?.value
const vault = (read: (vault: Vault) => unknown): Current => ({ vaults }, target) => mapped(at(vaults, target), read)
const asset = (read: (asset: Asset) => unknown): Current => ({ assets }, target) => mapped(at(assets, target), read)
const guard = (read: (guard: Guard) => unknown): Current => ({ guards }, target) => mapped(at(guards, target), read)
const integration = (read: (integration: Integration) => unknown): Current => ({ integrations }, target) => mapped(at(integrations, target), read)
const mapped = <T>(value: T | undefined, read: (value: T) => unknown): unknown => (value === undefined ? undefined : read(value))

const NEAR = 'No line may move by more than the bound; no position of the sample may become liquidatable, nor the vault as a whole.'
const OUTFLOW = 'What the limits allow may not move by more than the bound.'
const PRICE = 'The effective price may not move by more than the bound.'
const FREE = 'Has to be within the hard bounds.'
/** Source: `Switch` of `state/oracle_set.rs`. What a vault never had set is off. */
const [DISABLED, ENABLED] = [1, 2]

/** Groups by number. Source: `ChangeGroup` of `state/change.rs`. */
const GROUPS: Record<number, Group> = {
  1: { kind: 'VaultRisk', name: 'Lines and bonuses', decoder: generated.getRiskParamsDecoder(), current: vault((v) => v.risk), effect: NEAR },
  2: { kind: 'VaultLimits', name: 'Caps and outflow limits', decoder: generated.getVaultLimitsDecoder(), current: vault((v) => v.limits), effect: OUTFLOW },
  3: { kind: 'VaultCurve', name: 'Interest', decoder: generated.getInterestCurveDecoder(), current: vault((v) => v.curve), effect: `${FREE} Interest accrues at the old rate up to the change.` },
  4: { kind: 'Rule', name: 'Rule', decoder: generated.getRuleParamsDecoder(), current: ({ rules }, target) => at(rules, target)?.params, effect: FREE },
  5: { kind: 'AssetOracle', name: 'Price sources', decoder: generated.getOracleSetDecoder(), current: asset((a) => a.oracle), effect: PRICE },
  6: { kind: 'AssetReference', name: 'Reference', decoder: generated.getReferenceParamsDecoder(), current: asset((a) => a.referenceParams), effect: 'Only in the second of an observation, or once the reference has to start over.' },
  7: { kind: 'Roles', name: 'Roles', decoder: generated.getRolesDecoder(), current: guard((g) => g.roles), effect: 'No keeper may hold a role. All that is pending becomes void.' },
  8: { kind: 'LoosenDelay', name: 'Delay of loosenings', decoder: getU32Decoder(), current: guard((g) => g.loosenDelaySecs), effect: FREE },
  9: { kind: 'Root', name: 'Root', decoder: getAddressDecoder(), current: guard((g) => g.roles.root), effect: 'The new root has to sign to accept. All that is pending becomes void.' },
  10: { kind: 'Aggregate', name: 'Dollar limit', decoder: generated.getAggregateParamsDecoder(), current: ({ aggregates }, target) => at(aggregates, target)?.params, effect: 'Limit and share may not move by more than the bound.' },
  11: { kind: 'AssetWarmUp', name: 'Warm-up', decoder: getU32Decoder(), current: asset((a) => a.warmUp.durationSecs), effect: FREE },
  12: { kind: 'AssetStandby', name: 'Standby sources', decoder: generated.getStandbySetDecoder(), current: asset((a) => a.standby), effect: PRICE },
  13: { kind: 'IntegrationSwitch', name: 'Switch', decoder: getU8Decoder(), current: integration((i) => i.switch), effect: FREE },
  14: { kind: 'Holder', name: 'Holder', decoder: getAddressDecoder(), current: integration((i) => i.holder), effect: 'Only while exits are open. What is held goes to the new holder, and the integration is off from then on.' },
  15: { kind: 'SwapPolicy', name: 'Swap policy', decoder: generated.getSwapParamsDecoder(), current: ({ policies }, target) => at(policies, target)?.params, effect: FREE },
  16: { kind: 'ReservePlan', name: 'Weights and cover', decoder: generated.getReservePlanDecoder(), current: ({ reserves }, target) => at(reserves, target)?.plan, effect: FREE },
  17: { kind: 'ReserveGrant', name: 'Grant out of the reserve', decoder: generated.getReserveGrantDecoder(), current: ({ reserves }, target) => at(reserves, target)?.grant, effect: FREE },
  18: { kind: 'VaultScale', name: 'Scale by the market', decoder: generated.getRiskScaleDecoder(), current: vault((v) => v.scale), effect: 'The floors may not move by more than the bound.' },
  19: { kind: 'VaultCover', name: 'Cover by the reserve', decoder: getU8Decoder(), current: vault((v) => (v.cover === ENABLED ? ENABLED : DISABLED)), effect: FREE },
}

/** Returns a group's name. */
export function groupName(group: number): string {
  return GROUPS[group]?.name ?? `Group ${group}`
}

/** Returns a group's name in the program's enum; undefined for a group that this version doesn't know. */
export function kindOf(group: number): ChangeKind | undefined {
  return GROUPS[group]?.kind
}

/** Returns the group of a name in the program's enum; null for one that this version doesn't know. */
export function groupOfKind(kind: string): number | null {
  const found = Object.entries(GROUPS).find(([, known]) => known.kind === kind)
  return found === undefined ? null : Number(found[0])
}

/** Number of the group of roles. */
export const ROLES = 7
/** Number of the group of root: the new one executes the change by accepting it. */
export const ROOT = 9

/** Tells whether a change of the group gives roles out: it then names the keeper set. Source: `keepers_of` of the Rust client. */
export const givesRoles = (group: number): boolean => group === ROLES || group === ROOT

/** Returns what execution tries before it holds. */
export function effectText(group: number): string {
  return GROUPS[group]?.effect ?? 'This version of the app doesn’t know the group.'
}

/** Names of values without parts, with their unit. */
const ROOTS: Record<number, readonly string[]> = { 8: ['delaySecs'], 9: ['root'], 11: ['warmUpSecs'], 13: ['switch'], 14: ['holder'], 19: ['switch'] }

/** Returns the path that a group's value without parts is shown under. */
export function rootOf(group: number): readonly string[] {
  return ROOTS[group] ?? []
}

/** Returns what an account holds of a group now; undefined where it wasn't read. */
export function currentOf(group: number, targets: Targets, target: string): unknown {
  return GROUPS[group]?.current(targets, target)
}

/** One field that moves. */
export interface Move {
  /** Path of the field's names. */
  path: readonly string[]
  /** The value that is; undefined where it isn't known. */
  from: Leaf | undefined
  /** The value that shall be. */
  to: Leaf
}

/** A value without parts. */
export type Leaf = string | number | bigint | boolean

const isBytes = (value: unknown): value is ReadonlyUint8Array => value instanceof Uint8Array
const hexOf = (bytes: ReadonlyUint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

const isWide = (value: object): value is { lo: bigint; hi: bigint } => 'lo' in value && 'hi' in value && typeof value.lo === 'bigint' && typeof value.hi === 'bigint'

/** Lists the leaves of a decoded value; room that is kept free is left out. */
export function leavesOf(value: unknown, path: readonly string[] = []): [readonly string[], Leaf][] {
  if (isBytes(value)) return [[path, hexOf(value)]]
  if (Array.isArray(value)) return value.flatMap((item, index) => leavesOf(item, [...path, String(index + 1)]))
  if (typeof value === 'object' && value !== null) {
    // a 128-bit number is stored in two halves
    if (isWide(value)) return [[path, u128(value)]]
    return Object.entries(value).flatMap(([key, item]) => (key === 'reserved' ? [] : leavesOf(item, [...path, key])))
  }
  return [[path, value as Leaf]]
}

/** What a change would move, and whether that was compared with the value that is. */
export interface Moved {
  moves: Move[]
  isCompared: boolean
}

/** Returns the fields that differ between two values of a group, or all of the next one's where the present one isn't known. */
export function movesBetween(group: number, current: unknown, next: unknown): Moved {
  const root = rootOf(group)
  const before = new Map(leavesOf(current, root).map(([path, leaf]) => [path.join('.'), leaf]))
  const isCompared = current !== undefined
  const all = leavesOf(next, root).map(([path, to]) => ({ path, from: isCompared ? before.get(path.join('.')) : undefined, to }))
  return { moves: isCompared ? all.filter(({ from, to }) => from !== to) : all, isCompared }
}

/** Returns the value that shall be; undefined for a group that this version doesn't know. */
export function nextOf({ group, next }: Pick<PendingChange, 'group' | 'next'>): unknown {
  return GROUPS[group]?.decoder.decode(next)
}

/** Returns the fields that a change would move, or all of its fields where the present value isn't known. */
export function movesOf(change: PendingChange, targets: Targets): Moved {
  const next = nextOf(change)
  return next === undefined ? { moves: [], isCompared: false } : movesBetween(change.group, currentOf(change.group, targets, change.target), next)
}

/** Where a change is in its life. */
export type Stage = 'waiting' | 'ripe' | 'expired' | 'void'

/** Returns from when a change may be executed. A delay that was raised since holds for it, too. Source: `require_ripe`. */
export function ripeTs(change: PendingChange, guard: Guard): number {
  const waited = Number(change.proposedAtTs) + guard.loosenDelaySecs
  const eta = Number(change.etaTs)
  return change.etaTs > change.proposedAtTs ? Math.max(eta, waited) : eta
}

/** Returns where a change is in its life. */
export function stageOf(change: PendingChange, guard: Guard, nowTs: number): Stage {
  if (change.authorityEpoch !== guard.authorityEpoch) return 'void'
  if (nowTs >= Number(change.expiresAtTs)) return 'expired'
  return nowTs >= ripeTs(change, guard) ? 'ripe' : 'waiting'
}

/** Returns why a change waits, by the direction that the program found. Source: `state/direction.rs`. */
export function directionText(direction: number): { word: string; why: string } {
  switch (direction) {
    case 1:
      return { word: 'No move', why: 'Nothing moves.' }
    case 2:
      return { word: 'Tighter', why: 'Every field that moves gets stricter.' }
    case 3:
      return { word: 'Looser', why: 'A field gets looser, or moves without having a strict side. So it waits, and may be vetoed.' }
    default:
      return { word: 'Unknown', why: 'This version of the app doesn’t know the direction.' }
  }
}
