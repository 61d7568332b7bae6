import { describe, expect, it } from 'vitest'
import { type Cause, parseGuardianHaltInstruction, parseGuardianPauseInstruction, parseLiftPauseInstruction } from '@/generated'
import { metasOf } from '@/lib/exported'
import { holderOf, leftToGuardian, leftToQuorum, liftInstruction, longestSecs, obstacleOfLift, obstacleOfPause, pauseInstruction, readMinutes, runningPauses, usedSecs } from '@/lib/pause'
import { empty, keyOf } from '@/testing/accounts'
import { NOW } from '@/testing/sample'

const zero = empty.guard()
const DAY = 86_400
const today = Math.floor(NOW / DAY)
const roles = { ...zero.roles, resetter: keyOf(7), guardians: zero.roles.guardians.map((_, at) => keyOf(20 + at)), guardianCount: 2, guardianQuorum: 2 }
const bounds = { ...zero.bounds, maxPauseSecs: DAY, maxGuardianPauseSecs: 2 * DAY, maxGuardPauseSecs: 10 * DAY, quorumReserveSecs: 4 * DAY }
const ring = (day: number, used: Record<number, number>) => ({ ...zero.pauses.single, day: BigInt(day), cells: zero.pauses.single.cells.map((_, at) => Object.entries(used).reduce((sum, [on, secs]) => sum + (Number(on) % 33 === at ? secs : 0), 0)) })
const guardOf = (pauses: Partial<typeof zero.pauses> = {}, own: Partial<typeof roles> = {}) => ({ address: keyOf(1) as string, value: empty.guard({ roles: { ...roles, ...own }, bounds, pauses: { ...zero.pauses, ...pauses }, authorityEpoch: 3n }) })
const guard = guardOf()
const cause = (fields: Partial<Cause>): Cause => ({ ...zero.breaker.causes[0], source: keyOf(20), kind: 2, level: 2, reach: 1, trippedAtTs: BigInt(NOW - 600), expiresAtTs: BigInt(NOW + 3_000), dwellUntilTs: BigInt(NOW + 300), ...fields }) as Cause
const scopeOf = (...causes: Cause[]) => ({ address: keyOf(2) as string, breaker: { ...zero.breaker, causes } })
const pause = { scope: keyOf(2) as string, level: 2 as const, guardian: keyOf(20) as string }

describe('the budget', () => {
  it('is of the last thirty days and the two ahead', () => {
    const used = ring(today, { [today - 30]: 1, [today]: 10, [today + 1]: 100 })
    expect(usedSecs(used, NOW)).toBe(111)
    expect(usedSecs(used, NOW + DAY)).toBe(110)
    expect(usedSecs(used, NOW + 31 * DAY)).toBe(100)
    expect(usedSecs(used, NOW + 40 * DAY)).toBe(0)
    expect(usedSecs(used, NOW - 5 * DAY)).toBe(111)
  })
  it('of a guardian is its own, within what all single ones may', () => {
    const own = { guardian: keyOf(20), ring: ring(today, { [today]: DAY / 2 }) }
    const held = guardOf({ guardians: [own, ...zero.pauses.guardians.slice(1)], single: ring(today, { [today]: DAY / 2 }) }).value
    expect([leftToGuardian(held, keyOf(20), NOW), leftToGuardian(held, keyOf(21), NOW)]).toEqual([1.5 * DAY, 2 * DAY])
    // the quorum's reserve is out of reach
    expect(leftToGuardian(guardOf({ single: ring(today, { [today]: 5.5 * DAY }) }).value, keyOf(21), NOW)).toBe(DAY / 2)
    expect(leftToGuardian(guardOf({ single: ring(today, { [today]: 7 * DAY }) }).value, keyOf(21), NOW)).toBe(0)
  })
  it('of the quorum pays a halt twice: its tail counts', () => {
    expect(leftToQuorum(guardOf({ single: ring(today, { [today]: 6 * DAY }) }).value, NOW)).toBe(2 * DAY)
    expect(longestSecs({ ...pause, level: 3 }, guardOf({ quorum: ring(today, { [today]: 9.5 * DAY }) }).value, NOW)).toBe(DAY / 4)
  })
  it('bounds what may be typed', () => {
    expect(readMinutes('60', DAY)).toEqual({ secs: 3_600 })
    for (const text of ['0', '1441', '1.5', '-1', '', 'ten']) expect(readMinutes(text, DAY)).toEqual({ wrong: 'A whole number of minutes from 1 to 1440.' })
    expect(readMinutes('1', 59)).toEqual({ wrong: 'Nothing is left of the budget: it comes back day by day, thirty days after it was used.' })
  })
})

describe('a pause', () => {
  it('is signed by its guardian, at its scope, for its span', () => {
    const instruction = pauseInstruction(pause, 3_600, guard, NOW)
    const { data, accounts } = parseGuardianPauseInstruction(instruction as never)
    expect(data).toMatchObject({ level: 2, durationSecs: 3_600, validity: { authorityEpoch: 3n, expiresAtTs: BigInt(NOW + 259_200) } })
    expect([accounts.guardian.address, accounts.guard.address, accounts.scope.address]).toEqual([keyOf(20), keyOf(1), keyOf(2)])
  })
  it('that halts names a quorum of one behind the program’s own accounts', () => {
    const alone = guardOf({}, { guardianQuorum: 1 })
    const halt = { ...pause, level: 3 as const }
    expect(obstacleOfPause(halt, 60, scopeOf(), alone, NOW)).toBeNull()
    const instruction = pauseInstruction(halt, 60, alone, NOW)
    expect(parseGuardianHaltInstruction(instruction as never).data.durationSecs).toBe(60)
    expect(metasOf(instruction).at(-1)).toEqual({ pubkey: keyOf(20), isSigner: true, isWritable: false })
  })
  it('that halts by more is refused with the command that gathers them', () => {
    const halt = { ...pause, level: 3 as const }
    expect(obstacleOfPause(halt, 60, scopeOf(), guard, NOW)?.command).toBe(`rampart guard pause halt --secs 60 --scope ${keyOf(2)} --signer <GUARDIAN> --signer <GUARDIAN>`)
    expect(obstacleOfPause({ ...halt, scope: guard.address }, 60, scopeOf(), guard, NOW)?.command).toBe('rampart guard pause halt --secs 60 --signer <GUARDIAN> --signer <GUARDIAN>')
  })
  it('isn’t prolonged by whom it is', () => {
    expect(obstacleOfPause(pause, 60, scopeOf(cause({})), guard, NOW)).toEqual({ why: 'This guardian holds a pause there already, and nobody prolongs their own: another guardian can follow.', command: null })
    expect(obstacleOfPause({ ...pause, guardian: keyOf(21) }, 60, scopeOf(cause({})), guard, NOW)).toBeNull()
    expect(obstacleOfPause(pause, 60, scopeOf(cause({ expiresAtTs: BigInt(NOW) })), guard, NOW)).toBeNull()
  })
})

describe('pauses in force', () => {
  const halt = cause({ source: keyOf(1), level: 3, trippedAtTs: BigInt(NOW - 4_000), expiresAtTs: BigInt(NOW - 100) })
  it('are those that haven’t ended, without what rules tripped; a halt lasts twice', () => {
    const found = runningPauses([scopeOf(cause({}), halt, cause({ source: keyOf(22), kind: 1 }), cause({ source: keyOf(23), expiresAtTs: BigInt(NOW) }))], NOW)
    expect(found.map(({ source, level, endsAtTs }) => [source, level, endsAtTs])).toEqual([[keyOf(1), 2, NOW + 3_800], [keyOf(20), 2, NOW + 3_000]])
    expect(found.map((one) => holderOf(one, guard))).toEqual(['the guardians’ quorum', 'guardian 1'])
  })
  it('are lifted by the resetter after their dwell time, and never its own', () => {
    const [running] = runningPauses([scopeOf(cause({}))], NOW)
    if (running === undefined) throw new Error('none')
    expect(obstacleOfLift(running, guard.value, NOW)).toBe('It may be lifted in 5 min.')
    expect(obstacleOfLift(running, guard.value, NOW + 300)).toBeNull()
    expect(obstacleOfLift({ ...running, source: keyOf(7) }, guard.value, NOW + 300)).toBe('The resetter doesn’t lift a pause of its own.')
    const { data, accounts } = parseLiftPauseInstruction(liftInstruction(running, guard, NOW) as never)
    expect([data.source, data.validity.authorityEpoch, accounts.resetter.address, accounts.scope.address]).toEqual([keyOf(20), 3n, keyOf(7), keyOf(2)])
  })
})
