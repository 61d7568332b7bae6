import { type Encoder, type Instruction, address, createNoopSigner, getAddressEncoder, getU32Encoder, getU8Encoder } from '@solana/kit'
import * as generated from '@/generated'
import { type ChangeArgs, type Guard, type Integration, RAMPART_PROGRAM_ADDRESS, findChangePda, getProposeChangeInstruction } from '@/generated'
import type { Held } from '@/lib/accounts'
import { type Move, ROLES, type Targets, currentOf, givesRoles, groupName, kindOf, leavesOf, rootOf } from '@/lib/change'
import { EVENT_AUTHORITY, keeperSetOf, withFurther } from '@/lib/exported'
import { type FieldContext, fieldName } from '@/lib/field'
import { type Field, type Typed, fieldsOfValue, replaced } from '@/lib/form'
import { validityOf } from '@/lib/validity'

/** A group that can be proposed from a form. */
interface Form {
  /** Lays the value out as the program stores it. */
  encoder: Encoder<never>
  /** The accounts that it may be about. */
  targets: (targets: Targets) => readonly Held<unknown>[]
}

/** How what an integrator moves itself is counted: the guard holds nothing of it. Source: `Mode::Reported`. */
const REPORTED = 1
const isReported = ({ value }: Held<Integration>): boolean => value.mode === REPORTED
/** Tells whether the guard still holds what it held: what was released has nothing to let out. Source: `require_holding`. */
const isHolding = ({ address, value }: Held<Integration>): boolean => !isReported({ address, value }) && (value.holder as string) === address

const FORMS: Record<number, Form> = {
  1: { encoder: generated.getRiskParamsEncoder(), targets: ({ vaults }) => vaults },
  2: { encoder: generated.getVaultLimitsEncoder(), targets: ({ vaults }) => vaults },
  3: { encoder: generated.getInterestCurveEncoder(), targets: ({ vaults }) => vaults },
  4: { encoder: generated.getRuleParamsEncoder(), targets: ({ rules }) => rules },
  5: { encoder: generated.getOracleSetEncoder(), targets: ({ assets }) => assets },
  6: { encoder: generated.getReferenceParamsEncoder(), targets: ({ assets }) => assets },
  7: { encoder: generated.getRolesEncoder(), targets: ({ guards }) => guards },
  8: { encoder: getU32Encoder(), targets: ({ guards }) => guards },
  9: { encoder: getAddressEncoder(), targets: ({ guards }) => guards },
  10: { encoder: generated.getAggregateParamsEncoder(), targets: ({ aggregates }) => aggregates },
  11: { encoder: getU32Encoder(), targets: ({ assets }) => assets },
  12: { encoder: generated.getStandbySetEncoder(), targets: ({ assets }) => assets },
  13: { encoder: getU8Encoder(), targets: ({ integrations }) => integrations.filter((one) => isReported(one) || isHolding(one)) },
  14: { encoder: getAddressEncoder(), targets: ({ integrations }) => integrations.filter(isHolding) },
  15: { encoder: generated.getSwapParamsEncoder(), targets: ({ policies }) => policies },
  16: { encoder: generated.getReservePlanEncoder(), targets: ({ reserves }) => reserves },
  17: { encoder: generated.getReserveGrantEncoder(), targets: ({ reserves }) => reserves },
  18: { encoder: generated.getRiskScaleEncoder(), targets: ({ vaults }) => vaults },
  19: { encoder: getU8Encoder(), targets: ({ vaults }) => vaults },
}

/** What a form may be about: a group of values, and whose. */
export interface Subject {
  group: number
  target: string
  name: string
}

/** Lists what may be proposed from a form, with the accounts as they are. */
export function subjectsOf(targets: Targets, nameOf: (address: string) => string): Subject[] {
  return Object.entries(FORMS).flatMap(([key, form]) => {
    const group = Number(key)
    return form.targets(targets).map(({ address: target }) => ({ group, target, name: `${groupName(group)} of ${nameOf(target)}` }))
  })
}

/** Lists the fields of a group with what they hold, and what they may be beside what is typed. */
export function fieldsOf({ group, target }: Subject, targets: Targets, guard: Guard, context: FieldContext, next?: ReadonlyMap<string, Typed>): Field[] {
  const current = currentOf(group, targets, target)
  const encoder = FORMS[group]?.encoder
  return current === undefined || encoder === undefined ? [] : fieldsOfValue(current, { group, root: rootOf(group), encoder }, guard, context, next)
}

/** What is to be proposed. */
export interface Proposal {
  subject: Subject
  /** Values by the path of their field. */
  next: ReadonlyMap<string, Typed>
}

/** Returns the fields that a proposal moves. */
export function movesOfProposal({ next }: Proposal, fields: readonly Field[]): Move[] {
  return fields.flatMap(({ path, now }) => {
    const to = next.get(path.join('.'))
    return to === undefined || to === now ? [] : [{ path, from: now, to }]
  })
}

/** Returns the group's value as it would be proposed; undefined where the account wasn't read. */
export function valueOfProposal({ subject: { group, target }, next }: Proposal, targets: Targets): unknown {
  const current = currentOf(group, targets, target)
  return current === undefined ? undefined : replaced(current, next, rootOf(group))
}

/**
 * Identifies a proposal with all that its instruction is made of: a value that moves on chain in the meantime is another one, even
 * of a field that the proposal leaves alone.
 */
export function idOfProposal({ subject: { group, target }, next }: Proposal, { value: guard }: Held<Guard>, targets: Targets): string {
  const current = leavesOf(currentOf(group, targets, target), rootOf(group)).map(([path, leaf]) => `${path.join('.')}=${leaf}`)
  const moved = [...next].map(([path, value]) => `${path}=${value}`)
  return [guard.roles.root, guard.nextChangeId, guard.authorityEpoch, group, target, ...current, 'to', ...moved].join(' ')
}

/** Why a proposal can't be made, with the command that makes it where there is one. */
export interface Obstacle {
  why: string
  command: string | null
}

/** Says which field goes further than one change may move it: further only falls what is tightened at once. */
function tooFar(moves: readonly Move[], fields: readonly Field[]): Obstacle | null {
  const isOutside = ({ path, to }: Move) => fields.some((field) => field.path.join('.') === path.join('.') && typeof to === 'bigint' && (to < field.proposed.min || to > field.proposed.max))
  const names = moves.filter(isOutside).map(({ path }) => fieldName(path))
  if (names.length === 0) return null
  return { why: `${names.join('; ')}: further than one change may move it. Tighten it at once by itself, or move it in several steps.`, command: null }
}

/**
 * Returns why a proposal can't be made here; null where it can.
 *
 * Only with a quorum of guardians may root start what takes the veto from the vetoer: no one wallet or multisig signs for all of
 * them. Source: `ProposeChange::judge`.
 */
export function obstacleOf({ subject, next }: Proposal, { roles }: Guard, moves: readonly Move[] = [], fields: readonly Field[] = []): Obstacle | null {
  const vetoer = next.get('vetoer')
  if (subject.group !== ROLES || vetoer === undefined || vetoer === (roles.vetoer as string)) return tooFar(moves, fields)
  const quorum = Math.max(1, roles.guardianQuorum)
  const guardians = Array.from({ length: quorum }, () => '--signer <GUARDIAN>').join(' ')
  const others = next.size > 1 ? ' Name the other fields that move beside it.' : ''
  return {
    why: `A new vetoer needs beside root’s signature those of ${quorum === 1 ? 'a guardian' : `${quorum} guardians`}, in one transaction, which this page can’t gather. Propose it in a terminal.${others}`,
    command: `rampart guard propose roles vetoer=${vetoer} --signer <ROOT> ${guardians}`,
  }
}

/** SHA-256 of the group's number and the stored bytes: what the change is prepared against. Source: `Change::hash`. */
async function hashOf(group: number, encoder: Encoder<never>, value: unknown): Promise<Uint8Array> {
  const bytes = encoder.encode(value as never)
  return new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from([group, ...bytes])))
}

/**
 * Builds the instruction that lets a change wait in public. `root` signs and pays the rent, which comes back. A change of roles or
 * root names the keeper set, as `propose_change` of the Rust client does. Throws where `obstacleOf` says why.
 */
export async function proposeInstruction(proposal: Proposal, guard: Held<Guard>, targets: Targets, nowTs: number): Promise<Instruction> {
  const { group, target } = proposal.subject
  const [form, kind] = [FORMS[group], kindOf(group)]
  const current = currentOf(group, targets, target)
  if (form === undefined || kind === undefined || current === undefined) throw new Error('This group can’t be proposed from here.')
  const obstacle = obstacleOf(proposal, guard.value)
  if (obstacle !== null) throw new Error(obstacle.why)
  const value = valueOfProposal(proposal, targets)
  const [change] = await findChangePda({ guard: address(guard.address), nextChangeId: guard.value.nextChangeId })
  const built = getProposeChangeInstruction({
    root: createNoopSigner(guard.value.roles.root),
    guard: address(guard.address),
    target: address(target),
    change,
    eventAuthority: EVENT_AUTHORITY,
    program: RAMPART_PROGRAM_ADDRESS,
    changeArg: { __kind: kind, fields: [value] } as ChangeArgs,
    valueHash: await hashOf(group, form.encoder, current),
    validity: validityOf(guard.value, nowTs),
  })
  return withFurther(built, givesRoles(group) ? [await keeperSetOf(guard.address)] : [])
}
