import { AccountRole, type Address, type Instruction, address, createNoopSigner } from '@solana/kit'
import { type Breaker, type Cause, type Guard, type PauseRing, RAMPART_PROGRAM_ADDRESS, getGuardianHaltInstruction, getGuardianPauseInstruction, getLiftPauseInstruction } from '@/generated'
import type { Held } from '@/lib/accounts'
import type { Targets } from '@/lib/change'
import { levelAt } from '@/lib/chain/breaker'
import { EVENT_AUTHORITY, guardiansOf } from '@/lib/exported'
import type { Level } from '@/lib/level'
import { formatSpan } from '@/lib/time'
import { validityOf } from '@/lib/validity'

/** What a pause can be asked for. Source: `GuardianPause`, `GuardianHalt`. */
export const PAUSE_LEVELS = [1, 2, 3] as const
/** A level that guardians may raise to. */
export type PauseLevel = (typeof PAUSE_LEVELS)[number]
const HALT = 3

/** What can be paused: the guard with all that is under it, or one account of it. */
export interface Scope {
  address: string
  breaker: Breaker
}

/** Lists what can be paused, the whole guard first. */
export function scopesOf({ guards, assets, vaults, integrations }: Pick<Targets, 'guards' | 'assets' | 'vaults' | 'integrations'>): Scope[] {
  return [...guards, ...assets, ...vaults, ...integrations].map((held) => ({ address: held.address, breaker: held.value.breaker }))
}

const DAY_SECS = 86_400
/** Days that a ring holds, those that a pause may reach ahead included. Source: `PAUSE_CELLS`, `DAYS_AHEAD`. */
const [CELLS, AHEAD] = [33, 2]
const cellOf = (day: number): number => ((day % CELLS) + CELLS) % CELLS

/** Returns what a ring of days holds at a moment, seconds. Source: `PauseRing::settle`, `total_secs`. */
export function usedSecs({ day, cells }: PauseRing, nowTs: number): number {
  const today = Math.floor(nowTs / DAY_SECS)
  const passed = Math.min(CELLS, Math.max(0, today - Number(day)))
  const left = new Set(Array.from({ length: passed }, (_, step) => cellOf(today + AHEAD - step)))
  return cells.reduce((sum, secs, at) => sum + (left.has(at) ? 0 : secs), 0)
}

/** Returns what a guardian may still pause on its own, seconds. Source: `PauseBudget::charge_guardian`. */
export function leftToGuardian({ pauses, bounds }: Guard, guardian: string, nowTs: number): number {
  const [single, quorum] = [usedSecs(pauses.single, nowTs), usedSecs(pauses.quorum, nowTs)]
  const room = Math.min(bounds.maxGuardPauseSecs - bounds.quorumReserveSecs - single, bounds.maxGuardPauseSecs - single - quorum)
  const own = pauses.guardians.find((budget) => (budget.guardian as string) === guardian)
  return Math.max(0, Math.min(room, bounds.maxGuardianPauseSecs - (own === undefined ? 0 : usedSecs(own.ring, nowTs))))
}

/** Returns what the guardians' quorum may still halt, seconds; its tail counts as much again. Source: `charge_quorum`. */
export function leftToQuorum({ pauses, bounds }: Guard, nowTs: number): number {
  return Math.max(0, Math.floor((bounds.maxGuardPauseSecs - usedSecs(pauses.single, nowTs) - usedSecs(pauses.quorum, nowTs)) / 2))
}

/** How many guardians have to sign a halt. */
export const quorumOf = ({ roles }: Guard): number => Math.max(1, roles.guardianQuorum)

/** What is to be paused, by whom. */
export interface Pause {
  scope: string
  level: PauseLevel
  guardian: string
}

/** Returns the longest pause that is allowed now, seconds. */
export function longestSecs({ level, guardian }: Pause, guard: Guard, nowTs: number): number {
  return Math.min(guard.bounds.maxPauseSecs, level === HALT ? leftToQuorum(guard, nowTs) : leftToGuardian(guard, guardian, nowTs))
}

/** Reads how many minutes were typed as seconds, or says why they won't do. */
export function readMinutes(text: string, longest: number): { secs: number } | { wrong: string } {
  const most = Math.floor(longest / 60)
  const minutes = /^\d{1,6}$/.test(text.trim()) ? Number(text) : 0
  if (most < 1) return { wrong: 'Nothing is left of the budget: it comes back day by day, thirty days after it was used.' }
  return minutes < 1 || minutes > most ? { wrong: `A whole number of minutes from 1 to ${most}.` } : { secs: minutes * 60 }
}

const isInForce = (cause: Cause, nowTs: number): boolean => levelAt(cause, nowTs) > 0

/**
 * Returns why a pause can't be asked for here, with the command that does where there is one; null where it can.
 * A halt needs a quorum in one transaction, which no one wallet or multisig signs for.
 */
export function obstacleOfPause(pause: Pause, secs: number, scope: Scope, guard: Held<Guard>, nowTs: number): { why: string; command: string | null } | null {
  const quorum = quorumOf(guard.value)
  const source = pause.level === HALT ? guard.address : pause.guardian
  if (scope.breaker.causes.some((cause) => (cause.source as string) === source && isInForce(cause, nowTs))) {
    return { why: `${pause.level === HALT ? 'The quorum' : 'This guardian'} holds a pause there already, and nobody prolongs their own: another guardian can follow.`, command: null }
  }
  if (pause.level !== HALT || quorum === 1) return null
  const signers = Array.from({ length: quorum }, () => '--signer <GUARDIAN>').join(' ')
  const where = pause.scope === guard.address ? '' : ` --scope ${pause.scope}`
  return { why: `A halt needs the signatures of ${quorum} guardians in one transaction, which this page can’t gather. Halt in a terminal, or pause at “Reduce only” at once.`, command: `rampart guard pause halt --secs ${secs}${where} ${signers}` }
}

/** Says when a pause ends, and who may end it before. */
export function endText(level: PauseLevel, secs: number): string {
  const span = formatSpan(secs)
  const end = level === HALT ? `It halts for ${span}, then falls to “Reduce only” for as long again, and ends by itself.` : `It holds for ${span} and ends by itself.`
  return `${end} Whoever paused can neither prolong nor end it; the resetter may end it from ${formatSpan(Math.min(secs, DWELL_SECS))} on. Repaying and adding collateral stay open.`
}

/** From when on a pause may be lifted, seconds after its start. Source: `PAUSE_DWELL_SECS`. */
const DWELL_SECS = 900

/** Builds a pause by one guardian, or the halt of a quorum of one. */
export function pauseInstruction({ scope, level, guardian }: Pause, secs: number, guard: Held<Guard>, nowTs: number): Instruction {
  const common = { guard: address(guard.address), scope: address(scope), eventAuthority: EVENT_AUTHORITY, program: RAMPART_PROGRAM_ADDRESS, durationSecs: secs, validity: validityOf(guard.value, nowTs) }
  if (level !== HALT) return getGuardianPauseInstruction({ ...common, guardian: createNoopSigner(address(guardian)), level })
  const halt: Instruction = getGuardianHaltInstruction(common)
  return { ...halt, accounts: [...(halt.accounts ?? []), { address: address(guardian), role: AccountRole.READONLY_SIGNER }] }
}

/** A pause in force. */
export interface Running {
  scope: string
  /** The guardian whose it is, or the guard for the quorum's. */
  source: Address
  level: Level
  pausedAtTs: number
  /** When it ends by itself: a halt after its tail. */
  endsAtTs: number
  /** From when on the resetter may lift it. */
  dwellUntilTs: number
}

/** `CauseKind::Pause`. */
const PAUSE = 2

const runningOf = (scope: string, cause: Cause, nowTs: number): Running => {
  const [paused, expires] = [Number(cause.trippedAtTs), Number(cause.expiresAtTs)]
  const endsAtTs = cause.level >= HALT ? expires + (expires - paused) : expires
  return { scope, source: cause.source, level: levelAt(cause, nowTs), pausedAtTs: paused, endsAtTs, dwellUntilTs: Number(cause.dwellUntilTs) }
}

/** Lists the pauses in force, the strictest first. */
export function runningPauses(scopes: readonly Scope[], nowTs: number): Running[] {
  const found = scopes.flatMap(({ address: scope, breaker }) => breaker.causes.filter((cause) => cause.kind === PAUSE && isInForce(cause, nowTs)).map((cause) => runningOf(scope, cause, nowTs)))
  return found.sort((a, b) => b.level - a.level || b.endsAtTs - a.endsAtTs)
}

/** Returns who holds a pause, in words. */
export function holderOf({ source }: Running, guard: Held<Guard>): string {
  if ((source as string) === guard.address) return 'the guardians’ quorum'
  const place = guardiansOf(guard.value.roles).indexOf(source)
  return place < 0 ? 'a former guardian' : `guardian ${place + 1}`
}

/** Returns why a pause can't be lifted now; null where it can. Source: `LiftPause::handle`. */
export function obstacleOfLift({ source, dwellUntilTs }: Running, { roles }: Guard, nowTs: number): string | null {
  if (source === roles.resetter) return 'The resetter doesn’t lift a pause of its own.'
  return nowTs < dwellUntilTs ? `It may be lifted in ${formatSpan(dwellUntilTs - nowTs)}.` : null
}

/** Builds what ends a pause early, signed by the resetter. */
export function liftInstruction({ scope, source }: Pick<Running, 'scope' | 'source'>, guard: Held<Guard>, nowTs: number): Instruction {
  return getLiftPauseInstruction({
    resetter: createNoopSigner(guard.value.roles.resetter),
    guard: address(guard.address),
    scope: address(scope),
    eventAuthority: EVENT_AUTHORITY,
    program: RAMPART_PROGRAM_ADDRESS,
    source,
    validity: validityOf(guard.value, nowTs),
  })
}
