import { appendTransactionMessageInstructions, compileTransactionMessage, compressTransactionMessageUsingAddressLookupTables, createTransactionMessage, getBase64Decoder, getCompiledTransactionMessageEncoder, setTransactionMessageFeePayer, setTransactionMessageLifetimeUsingBlockhash } from '@solana/kit'
import { cleanup, fireEvent, render, screen, within } from '@testing-library/react'
import { afterEach, describe, expect, it } from 'vitest'
import { Decoder } from '@/features/changes/components/Decoder'
import { getRuleParamsEncoder } from '@/generated'
import type { Targets } from '@/lib/change'
import { instructionOf, realmsInstruction, squadsMessage } from '@/lib/exported'
import { Unreachable } from '@/lib/failure'
import type { Typed } from '@/lib/form'
import { proposeInstruction } from '@/lib/propose'
import { tightenInstruction } from '@/lib/tighten'
import { empty, keyOf } from '@/testing/accounts'
import { NOW, sampleView } from '@/testing/sample'

const [VAULT, RULE, RESERVE, LIMIT, CUSTODY] = [keyOf(2), keyOf(3), keyOf(4), keyOf(5), keyOf(6)]
const guard = empty.guard({ roles: { ...empty.guard().roles, root: keyOf(9) } })
const params = { ...empty.rule().params, metric: 1, comparator: 1, threshold: 1_500n, clearThreshold: 800n }
const zero = empty.reserve()
const assets = zero.assets.map((asset, at) => (at < 2 ? { ...asset, asset: ['Sol', 'Usdc'][at] as never, decimals: at === 0 ? 9 : 6 } : asset))
const targets: Targets = {
  guards: [{ address: keyOf(1), value: guard }],
  vaults: [{ address: VAULT, value: empty.vault({ limits: { ...empty.vault().limits, supplyCapAmount: 20_000_000_000_000n, exitFloorBps: 100 } }) }],
  rules: [{ address: RULE, value: empty.rule({ params }) }],
  assets: [],
  policies: [],
  reserves: [{ address: RESERVE, value: { ...zero, assets, plan: { ...zero.plan, count: 2 }, grant: { ...zero.grant, amount: 5_000_000_000n, index: 0 } } }],
  aggregates: [{ address: LIMIT, value: empty.aggregate({ params: { ...empty.aggregate().params, limitMicroUsd: 2_000_000_000_000n, vaultShareBps: 5_000, switch: 2 } }) }],
  integrations: [{ address: CUSTODY, value: empty.integration({ program: keyOf(40), mint: keyOf(41), holder: CUSTODY, index: 2, mode: 2, switch: 2 }) }],
}
const view = sampleView((raw) => {
  Object.assign(raw.vaults[0] ?? {}, { address: VAULT })
  Object.assign(raw.rules[0] ?? {}, { address: RULE })
})
const proposal = (group: number, target: string, next: [string, Typed][], known: Targets = targets) =>
  proposeInstruction({ subject: { group, target, name: '' }, next: new Map(next) }, { address: keyOf(1), value: guard }, known, NOW)

function read(text: string, props: Partial<Parameters<typeof Decoder>[0]> = {}) {
  render(<Decoder targets={targets} changes={[]} view={view} readTables={() => Promise.reject(new Unreachable('The RPC endpoint can’t be reached.'))} {...props} />)
  fireEvent.change(screen.getByLabelText('What you were given'), { target: { value: text } })
}
const told = (name: string) => within(screen.getByRole('region', { name }))
const linesOf = (region: HTMLElement) => [...region.querySelectorAll('.moves > div')].map(({ textContent }) => textContent)
afterEach(cleanup)

describe('a pasted proposal', () => {
  it('reads like the page of changes: the group, old and new values with units, and the direction', async () => {
    read(squadsMessage([await proposal(2, VAULT, [['supplyCapAmount', 24_000_000_000_000n]])], keyOf(9)))
    const region = screen.getByRole('region', { name: 'Caps and outflow limits of SOL / USDC' })
    expect(linesOf(region)).toEqual(['Supply capfrom20,000,000 USDCto24,000,000 USDC'])
    expect(region.textContent).toContain('Looser: A field gets looser')
    expect(screen.queryByText(/base units/)).toBeNull()
  })
  it('says the unit of a rule’s lines, and which way they move', async () => {
    read(realmsInstruction(await proposal(4, RULE, [['threshold', 1_200n], ['scope', 2n]])))
    const region = screen.getByRole('region', { name: 'Rule of SOL drawdown' })
    expect(linesOf(region)).toEqual(['Thresholdfrom15 %to12 %', 'Scopefrom0tothe whole guard'])
    cleanup()
    read(realmsInstruction(await proposal(4, RULE, [['threshold', 1_200n]])))
    expect(told('Rule of SOL drawdown').getByText(/^Tighter: /)).toBeTruthy()
  })
  it('counts a grant in the asset that it is of', async () => {
    read(realmsInstruction(await proposal(17, RESERVE, [['amount', 7_000_000n], ['index', 1n]])))
    const region = screen.getByRole('region', { name: /^Grant out of the reserve/ })
    expect(linesOf(region)).toEqual(['Amountfrom5 SOLto7 USDC', 'IndexfromSOLtoUSDC'])
  })
  it('reads the dollar limit, the switch of an integration and its holder beside what they are now', async () => {
    read(realmsInstruction(await proposal(10, LIMIT, [['limitMicroUsd', 2_500_000_000_000n]])))
    expect(linesOf(screen.getByRole('region', { name: 'Dollar limit of all vaults together' }))).toEqual(['Limitfrom$2,000,000to$2,500,000'])
    expect(told('Dollar limit of all vaults together').getByText(/^Looser: /)).toBeTruthy()
    cleanup()
    read(realmsInstruction(await proposal(13, CUSTODY, [['switch', 1n]])))
    expect(linesOf(screen.getByRole('region', { name: /^Switch of integration 2 of / }))).toEqual(['Switchfromontooff'])
    cleanup()
    read(realmsInstruction(await proposal(14, CUSTODY, [['holder', keyOf(42)]])))
    expect(linesOf(screen.getByRole('region', { name: /^Holder of integration 2 of / }))[0]).toMatch(/^Holderfromthe guard, by .*to/)
  })
  it('says that nothing can be compared where the account isn’t read', async () => {
    const instruction = await proposal(2, VAULT, [['supplyCapAmount', 1n]])
    read(realmsInstruction(instruction), { targets: { ...targets, vaults: [] } })
    expect(screen.getByText(/^The account that it is about isn’t read here/)).toBeTruthy()
    expect(screen.queryByText(/^(Looser|Tighter): /)).toBeNull()
  })
})

describe('an instruction about a change that waits', () => {
  const next = new Uint8Array(400)
  next.set(getRuleParamsEncoder().encode({ ...params, threshold: 2_000n }))
  const change = { address: keyOf(30) as string, value: empty.change({ guard: keyOf(1), group: 4, target: RULE, direction: 3, next }) }
  const veto = realmsInstruction(instructionOf({ act: 'veto', change, authority: keyOf(8), keeperSet: null }))
  it('tells the change by its address', () => {
    read(veto, { changes: [change] })
    expect(screen.getByRole('heading', { name: 'Instruction 1: veto change' })).toBeTruthy()
    expect(linesOf(screen.getByRole('region', { name: 'Rule of SOL drawdown' }))).toEqual(['Thresholdfrom15 %to20 %'])
    expect(told('Rule of SOL drawdown').getByText(/^Looser: /)).toBeTruthy()
  })
  it('tells nothing of one that isn’t in the queue', () => {
    read(veto)
    expect(screen.queryByRole('region', { name: /^Rule of/ })).toBeNull()
  })
})

describe('a tightening at once', () => {
  const own = { address: keyOf(1) as string, value: guard }
  const tightening = (group: number, target: string, next: [string, Typed][]) => realmsInstruction(tightenInstruction({ subject: { group, target, name: '' }, next: new Map(next) }, keyOf(9), own, targets, NOW))
  it('reads like a proposal: what moves of the rule, and which way', () => {
    read(tightening(4, RULE, [['threshold', 1_200n]]))
    expect(screen.getByRole('heading', { name: 'Instruction 1: tighten rule' })).toBeTruthy()
    expect(linesOf(screen.getByRole('region', { name: 'Rule of SOL drawdown' }))).toEqual(['Thresholdfrom15 %to12 %'])
    expect(told('Rule of SOL drawdown').getByText(/^Tighter: /)).toBeTruthy()
    expect(screen.queryByText('Params, threshold')).toBeNull()
  })
  it('tells of a vault only what moves, with its unit', () => {
    read(tightening(2, VAULT, [['supplyCapAmount', 12_000_000_000_000n]]))
    expect(linesOf(screen.getByRole('region', { name: 'Caps and outflow limits of SOL / USDC' }))).toEqual(['Supply capfrom20,000,000 USDCto12,000,000 USDC'])
    expect(screen.queryByRole('region', { name: /^(Lines and bonuses|Scale by the market) of/ })).toBeNull()
  })
  it('spells its arguments by its rule where the rule isn’t read', () => {
    read(tightening(4, RULE, [['threshold', 1_200n]]), { targets: { ...targets, rules: [] } })
    expect(screen.getByText('Params, threshold').nextSibling?.textContent).toBe('12 %')
  })
})

describe('a message with a lookup table', () => {
  const table = keyOf(90)
  const veto = instructionOf({ act: 'veto', change: { address: keyOf(30), value: empty.change({ guard: keyOf(1), group: 4 }) }, authority: keyOf(8), keeperSet: null })
  const others = (veto.accounts ?? []).slice(1).map((meta) => meta.address)
  const bare = appendTransactionMessageInstructions([veto], setTransactionMessageLifetimeUsingBlockhash({ blockhash: keyOf(1) as never, lastValidBlockHeight: 0n }, setTransactionMessageFeePayer(keyOf(8), createTransactionMessage({ version: 0 }))))
  const text = getBase64Decoder().decode(getCompiledTransactionMessageEncoder().encode(compileTransactionMessage(compressTransactionMessageUsingAddressLookupTables(bare, { [table]: others }))))
  it('says which accounts have no address while the table can’t be read, and why', async () => {
    read(text)
    expect(await screen.findByText(/come out of lookup tables and have no address here\. The RPC endpoint can’t be reached\. Don’t sign before each is known\./)).toBeTruthy()
    expect(screen.getAllByText(/^entry \d of lookup table$/).length).toBeGreaterThan(2)
    expect(screen.getByRole('heading', { name: 'Instruction 1: veto change' })).toBeTruthy()
  })
  it('shows each with its address once the table is read', async () => {
    read(text, { readTables: () => Promise.resolve(new Map([[table as string, others]])) })
    await screen.findAllByText(/^by entry \d of lookup table$/)
    expect(screen.queryByText(/have no address here/)).toBeNull()
    expect(screen.getAllByTitle(keyOf(30)).length).toBe(1)
  })
})

it('says in a sentence what other programs do, and what Rampart does', () => {
  const memo = { programAddress: 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr' as never, accounts: [], data: new TextEncoder().encode('report sha256:ab') }
  read(realmsInstruction(memo))
  expect(screen.getByRole('heading', { name: 'Instruction 1: memo' })).toBeTruthy()
  expect(screen.getByText('Leaves a note in the chain’s history, and does nothing else.')).toBeTruthy()
  expect(screen.getByText('report sha256:ab')).toBeTruthy()
  expect(screen.queryByText(/^This app can’t say what it does/)).toBeNull()
})
