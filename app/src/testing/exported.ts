import type { Instruction } from '@solana/kit'
import type { PendingChange } from '@/generated'
import type { Targets } from '@/lib/change'
import { instructionOf } from '@/lib/exported'
import { liftInstruction, pauseInstruction } from '@/lib/pause'
import { proposeInstruction } from '@/lib/propose'
import { cancelInstructions, claimInstructions, requestInstructions } from '@/lib/ticket'
import { tightenInstruction } from '@/lib/tighten'
import { withdrawInstructions } from '@/lib/withdraw'
import { empty, keyOf, stored } from '@/testing/accounts'
import { NOW } from '@/testing/sample'

/** What the app gives to sign, with who pays. */
export interface Export {
  name: string
  authority: string
  instructions: Instruction[]
}

const TOKENS = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA' as never
const [ROOT, RISK, VETOER, GUARDIAN, RESETTER, OWNER] = [keyOf(9), keyOf(8), keyOf(6), keyOf(20), keyOf(7), keyOf(10)]

const zero = empty.guard()
const roles = { ...zero.roles, root: ROOT, riskAdmin: RISK, vetoer: VETOER, resetter: RESETTER, guardians: zero.roles.guardians.map(() => GUARDIAN), guardianCount: 1, guardianQuorum: 1 }
const guard = { address: keyOf(1) as string, value: empty.guard({ roles, nextChangeId: 7n }) }
const vault = { address: keyOf(2) as string, value: empty.vault({ guard: keyOf(1), loanMint: keyOf(31), collateralMint: keyOf(30), loanToken: keyOf(33), collateralToken: keyOf(34), collateralAsset: keyOf(4), loanAsset: keyOf(5), supplyShares: stored(1_000_000n) }) }
const asset = empty.asset({ mint: keyOf(31), tokenProgram: TOKENS })
const targets: Targets = {
  guards: [guard],
  vaults: [vault],
  rules: [{ address: keyOf(3), value: empty.rule() }],
  assets: [],
  policies: [{ address: keyOf(51), value: empty.policy() }],
  reserves: [],
  aggregates: [{ address: keyOf(50), value: empty.aggregate() }],
  integrations: [],
}
const position = empty.position({ owner: OWNER, vault: keyOf(2), supplyShares: stored(1_000_000n) })
const change = (group: number) => ({ address: keyOf(60) as string, value: { guard: keyOf(1), rentTo: keyOf(61), target: keyOf(2), group, next: new Uint8Array(400).fill(4) } as never as PendingChange })
const about = (group: number, target: number, path: string, value: bigint | string) => ({ subject: { group, target: keyOf(target) as string, name: '' }, next: new Map([[path, value]]) })
const ticket = { number: 1, ticket: { ...position.tickets.slots[0], side: 0 } as never }

/** Everything that the app lets somebody sign, once each. */
export async function allExports(): Promise<Export[]> {
  const of = { vault, position }
  const order = (name: string, authority: string, ...instructions: Instruction[]): Export => ({ name, authority, instructions })
  const tighten = (group: number, target: number, path: string) => tightenInstruction(about(group, target, path, 0n), RISK, guard, targets, NOW)
  const acted = (act: 'veto' | 'cancel' | 'execute', group: number, authority: string) => instructionOf({ act, change: change(group), authority, keeperSet: keyOf(62), evidence: [keyOf(63)] })
  return [
    order('proposal', ROOT, await proposeInstruction(about(2, 2, 'supplyCapAmount', 5n), guard, targets, NOW)),
    order('proposal of roles', ROOT, await proposeInstruction(about(7, 1, 'riskAdmin', keyOf(12)), guard, targets, NOW)),
    order('veto', VETOER, acted('veto', 4, VETOER)),
    order('cancellation', ROOT, acted('cancel', 4, ROOT)),
    order('execution', OWNER, acted('execute', 2, OWNER)),
    order('takeover', keyOf(4), acted('execute', 9, keyOf(4))),
    order('tightening of a vault', RISK, tighten(2, 2, 'supplyCapAmount')),
    order('tightening of a rule', RISK, tighten(4, 3, 'threshold')),
    order('tightening of the dollar limit', RISK, tighten(10, 50, 'limitMicroUsd')),
    order('tightening of a swap policy', RISK, tighten(15, 51, 'maxSlippageBps')),
    order('pause', GUARDIAN, pauseInstruction({ scope: keyOf(2), level: 2, guardian: GUARDIAN }, 600, guard, NOW)),
    order('halt', GUARDIAN, pauseInstruction({ scope: keyOf(2), level: 3, guardian: GUARDIAN }, 600, guard, NOW)),
    order('resumption', RESETTER, liftInstruction({ scope: keyOf(2), source: GUARDIAN }, guard, NOW)),
    order('withdrawal', OWNER, ...(await withdrawInstructions({ vault, loan: asset, position, lenders: 10n, amount: 1n }))),
    order('ticket', OWNER, ...(await requestInstructions(of, 0, 5n))),
    order('cancelled ticket', OWNER, ...(await cancelInstructions(of, 1))),
    order('claim', OWNER, ...(await claimInstructions(of, ticket, asset))),
    order('claim of collateral', OWNER, ...(await claimInstructions(of, { ...ticket, ticket: { ...position.tickets.slots[0], side: 1 } as never }, asset))),
  ]
}
