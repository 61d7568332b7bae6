import { type Level } from '@/lib/level'
import { formatBps } from '@/lib/amount'

/** What a user may want to do, in the order shown. */
export const ACTIONS = ['borrow', 'supply', 'withdraw', 'repay', 'addCollateral', 'liquidate'] as const

/** One action. */
export type Action = (typeof ACTIONS)[number]

/** An action's name and what it covers. */
export const ACTION_TEXT: Record<Action, { name: string; covers: string }> = {
  borrow: { name: 'Borrow', covers: 'and take collateral from behind a debt' },
  supply: { name: 'Supply', covers: 'lend the loan asset' },
  withdraw: { name: 'Withdraw', covers: 'a loan, or collateral without debt' },
  repay: { name: 'Repay', covers: 'all or part of a debt' },
  addCollateral: { name: 'Add collateral', covers: 'to any position' },
  liquidate: { name: 'Liquidate', covers: 'and deleverage softly' },
}

/** What the gate leaves of an action. */
export type Pass =
  | { kind: 'full' }
  | { kind: 'scaled'; bps: number }
  | { kind: 'floor' }
  | { kind: 'twoSources' }
  | { kind: 'blocked' }

const FULL: Pass = { kind: 'full' }
const BLOCKED: Pass = { kind: 'blocked' }
const FLOOR: Pass = { kind: 'floor' }
const scaled = (bps: number): Pass => ({ kind: 'scaled', bps })

/** Level table, by action and then by level. Source: `risk/gate.rs` of the program. */
const TABLE: Record<Action, readonly [Pass, Pass, Pass, Pass, Pass]> = {
  borrow: [FULL, scaled(2_500), BLOCKED, BLOCKED, BLOCKED],
  supply: [FULL, FULL, BLOCKED, BLOCKED, BLOCKED],
  withdraw: [FULL, scaled(5_000), FLOOR, FLOOR, BLOCKED],
  repay: [FULL, FULL, FULL, FULL, FULL],
  addCollateral: [FULL, FULL, FULL, FULL, FULL],
  liquidate: [FULL, FULL, FULL, { kind: 'twoSources' }, BLOCKED],
}

/** Returns what a level leaves of an action. */
export function gate(action: Action, level: Level): Pass {
  return TABLE[action][level]
}

/** The levels of a vault. What isn't known raises the first alone. */
export interface Levels {
  /** What new risk and lending have to pass. */
  level: Level
  /** What exits and liquidations have to pass. */
  exit_level: Level
}

/** What besides the level decides about an action now. */
export interface Conditions {
  /** Whether the vault's price is agreed. */
  isPriceAgreed: boolean
  /** Whether anybody judges the sources: without a keeper nobody does. */
  isPriceJudged: boolean
  /** Sources that agree, the fewer of the pair's two assets. */
  agreeing: number
  /** The floor under exits, bps of a position a day. */
  exitFloorBps: number
}

/** An action's state now: whether it is open, how far, and why. */
export interface Possible {
  /** Open, open in part, or not. */
  state: 'open' | 'limited' | 'closed'
  /** The state in two or three words. */
  word: string
  /** Reason or bound, where there is one. */
  note: string | null
}

const NEEDS_PRICE: readonly Action[] = ['borrow', 'liquidate']

const ASKS_RISK_LEVEL: readonly Action[] = ['borrow', 'supply']

/** Returns whether an action is possible now, and how far. Exits and liquidations ask for a level of their own. */
export function possible(action: Action, levels: Levels, now: Conditions): Possible {
  const pass = gate(action, ASKS_RISK_LEVEL.includes(action) ? levels.level : levels.exit_level)
  const asksPrice = NEEDS_PRICE.includes(action) || pass.kind === 'twoSources'
  if (pass.kind !== 'blocked' && asksPrice && !now.isPriceJudged) {
    return { state: 'limited', word: pass.kind === 'twoSources' ? 'If two agree' : 'If sources agree', note: 'which nobody judges here' }
  }
  if (pass.kind !== 'blocked' && NEEDS_PRICE.includes(action) && !now.isPriceAgreed) {
    return { state: 'closed', word: 'Not now', note: 'waits for an agreed price' }
  }
  return describe(pass, now)
}

/** Says in words what a pass means under some conditions. */
export function describe(pass: Pass, now: Conditions): Possible {
  switch (pass.kind) {
    case 'full':
      return { state: 'open', word: 'Open', note: null }
    case 'scaled':
      return { state: 'limited', word: `At ${formatBps(pass.bps)}`, note: 'of the usual limits' }
    case 'floor':
      return { state: 'limited', word: 'Floor only', note: `${formatBps(now.exitFloorBps)} of a position a day` }
    case 'twoSources':
      return now.agreeing >= 2
        ? { state: 'limited', word: 'Open', note: `${now.agreeing} sources agree` }
        : { state: 'closed', word: 'Not now', note: 'needs two agreeing sources' }
    case 'blocked':
      return { state: 'closed', word: 'Blocked', note: null }
  }
}

/** A pass in one or two words, for the table of all levels. */
export function passWord(pass: Pass): string {
  switch (pass.kind) {
    case 'full':
      return 'Open'
    case 'scaled':
      return formatBps(pass.bps)
    case 'floor':
      return 'Floor'
    case 'twoSources':
      return 'Two sources'
    case 'blocked':
      return 'Blocked'
  }
}
