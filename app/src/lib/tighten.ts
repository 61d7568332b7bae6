import { type Address, type Instruction, address, createNoopSigner } from '@solana/kit'
import {
  type AggregateParams,
  type Guard,
  type RiskParams,
  type RiskScale,
  type RuleParams,
  type StepMeter,
  type SwapParams,
  type Vault,
  type VaultLimits,
  RAMPART_PROGRAM_ADDRESS,
  getTightenAggregateInstruction,
  getTightenRuleInstruction,
  getTightenSwapPolicyInstruction,
  getTightenVaultInstruction,
} from '@/generated'
import type { Held } from '@/lib/accounts'
import { formatBps } from '@/lib/amount'
import { type Move, type Targets, currentOf } from '@/lib/change'
import { looserOf } from '@/lib/direction'
import { EVENT_AUTHORITY } from '@/lib/exported'
import { type Proposal, type Subject, valueOfProposal } from '@/lib/propose'
import { validityOf } from '@/lib/validity'

const [RISK, LIMITS, RULE, AGGREGATE, POLICY, SCALE] = [1, 2, 4, 10, 15, 18]
/** Groups that an instruction tightens without a wait. Source: `tighten` of the keeper's `guard/act.rs`. */
const AT_ONCE: readonly number[] = [RISK, LIMITS, RULE, AGGREGATE, POLICY, SCALE]

/** Tells whether moves hold at once: the group has an instruction for it, and each part gets stricter. */
export function isAtOnce(group: number, moves: readonly Move[], current: unknown): boolean {
  return AT_ONCE.includes(group) && moves.length > 0 && looserOf(group, moves, current).length === 0
}

/** Returns who may tighten at once. Source: `Validity::check`. */
export function tightenersOf({ roles }: Guard): { key: Address; name: string }[] {
  return [
    { key: roles.riskAdmin, name: 'Risk admin' },
    { key: roles.root, name: 'Root' },
  ]
}

const BPS = 10_000n
const DAY_SECS = 86_400
/** Fields whose moves no day's step counts. Source: `Judged` of `state/direction.rs`. */
const isFree = (group: number, [name = '']: readonly string[]): boolean => name === 'switch' || (group === SCALE && !name.startsWith('floor'))

function stepBetween({ from, to }: Move): number {
  const [was, shall] = [BigInt(from ?? 0), BigInt(to)]
  const [low, high] = was < shall ? [was, shall] : [shall, was]
  return high === 0n ? 0 : Number(((high - low) * BPS + high - 1n) / high)
}

/** Returns how much of a day's step moves take: the longest, bps of the larger of its values. Source: `step_between`. */
export function stepOf(group: number, moves: readonly Move[]): number {
  return Math.max(0, ...moves.filter(({ path }) => !isFree(group, path)).map(stepBetween))
}

function meterOf({ group, target }: Subject, { vaults, rules, aggregates, policies }: Targets): StepMeter | undefined {
  const held = group === RULE ? rules : group === AGGREGATE ? aggregates : group === POLICY ? policies : vaults
  return held.find((one) => one.address === target)?.value.tightened
}

/** Returns what tightenings at once may still take off an account's limits, bps. Source: `StepMeter::take`. */
export function leftOf(subject: Subject, targets: Targets, { bounds }: Guard, nowTs: number): number {
  const meter = meterOf(subject, targets)
  const isOver = meter === undefined || nowTs - Number(meter.lastTs) >= DAY_SECS
  return Math.max(0, bounds.maxTightenStepBps - (isOver ? 0 : meter.usedBps))
}

/** Returns why moves that get stricter can't hold at once; null where they can. */
export function obstacleOfTightening(subject: Subject, moves: readonly Move[], targets: Targets, guard: Guard, nowTs: number): string | null {
  const [step, left] = [stepOf(subject.group, moves), leftOf(subject, targets, guard, nowTs)]
  if (step <= left) return null
  return `It takes ${formatBps(step)} off a value, and tightenings at once may take ${formatBps(left)} off until 24 hours have passed without one. Take a smaller step, or propose it.`
}

/** A vault's values with one group of them replaced. Source: `vault_args` of the keeper's `guard/act.rs`. */
function vaultArgs(group: number, value: unknown, vault: Vault) {
  const { ltvBps } = group === RISK ? (value as RiskParams) : vault.risk
  const { supplyCapAmount, borrowCapAmount, collateralCapAmount, loanFlow, collateralFlow, inflow } = group === LIMITS ? (value as VaultLimits) : vault.limits
  const scale = group === SCALE ? (value as RiskScale) : vault.scale
  return { ltvBps, supplyCapAmount, borrowCapAmount, collateralCapAmount, loanFlow, collateralFlow, inflow, scale }
}

/** Identifies a tightening with all that its instruction is made of: a vault's takes its other limits along as they are. */
export function idOfTightening({ subject, next }: Proposal, authority: string, guard: Held<Guard>, targets: Targets): string {
  const whole = [RISK, LIMITS, SCALE].includes(subject.group) ? [RISK, LIMITS, SCALE] : [subject.group]
  const spelled = (value: unknown) => JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part))
  const stands = whole.map((group) => spelled(currentOf(group, targets, subject.target)))
  return [authority, guard.value.authorityEpoch, subject.group, subject.target, ...stands, 'to', ...[...next].map(([path, value]) => `${path}=${value}`)].join(' ')
}

/** Builds what tightens a value at once, signed by root or the risk admin. Throws for what has no such instruction. */
export function tightenInstruction(proposal: Proposal, authority: string, guard: Held<Guard>, targets: Targets, nowTs: number): Instruction {
  const { group, target } = proposal.subject
  const value = valueOfProposal(proposal, targets)
  if (value === undefined || !AT_ONCE.includes(group)) throw new Error('This group can’t be tightened at once.')
  const common = {
    authority: createNoopSigner(address(authority)),
    guard: address(guard.address),
    eventAuthority: EVENT_AUTHORITY,
    program: RAMPART_PROGRAM_ADDRESS,
    validity: validityOf(guard.value, nowTs),
  }
  const at = address(target)
  if (group === RULE) return getTightenRuleInstruction({ ...common, rule: at, params: value as RuleParams })
  if (group === AGGREGATE) return getTightenAggregateInstruction({ ...common, aggregate: at, params: value as AggregateParams })
  if (group === POLICY) return getTightenSwapPolicyInstruction({ ...common, policy: at, params: value as SwapParams })
  const vault = targets.vaults.find((held) => held.address === target)?.value
  if (vault === undefined) throw new Error('The vault isn’t read.')
  return getTightenVaultInstruction({ ...common, vault: at, ...vaultArgs(group, value, vault) })
}
