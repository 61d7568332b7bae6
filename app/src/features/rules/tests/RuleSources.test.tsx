import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, it } from 'vitest'
import { RuleSources } from '@/features/rules/components/RuleSources'
import type { Rule } from '@/lib/schema/view'
import { empty } from '@/testing/accounts'
import { sampleView } from '@/testing/sample'

const viewOf = (fields: Partial<Record<keyof Rule, unknown>> = {}) =>
  sampleView((raw) => {
    Object.assign(raw.rules[0] ?? {}, { metric: 'drawdown', subject: raw.assets[0]?.address, ...fields })
  })
const rules = (sourcesRequired: number) => [{ address: viewOf().rules[0]?.address ?? '', value: empty.rule({ params: { ...empty.rule().params, sourcesRequired } }) }]
const basis = () => document.querySelector('.rule-sources > li > :last-child')
const price = viewOf().assets[0]?.price
afterEach(cleanup)

it('says how many sources the rule itself asks for, beside the asset’s own', () => {
  render(<RuleSources view={viewOf()} rules={rules(3)} />)
  expect(basis()?.textContent).toContain(`${price?.agreeing ?? 0} agree; the rule asks for 3, the asset’s price for ${price?.required ?? 0}`)
})

it('is not enough where the price is agreed on fewer than the rule asks for', () => {
  const state = () => basis()?.querySelector('.pass')?.getAttribute('data-state')
  render(<RuleSources view={viewOf()} rules={rules(price?.agreeing ?? 0)} />)
  expect([price?.state, state()]).toEqual(['agreed', 'open'])
  cleanup()
  render(<RuleSources view={viewOf()} rules={rules((price?.agreeing ?? 0) + 1)} />)
  expect(state()).toBe('closed')
})

it('tells the asset’s own number while the accounts aren’t read', () => {
  render(<RuleSources view={viewOf()} rules={null} />)
  expect(basis()?.textContent).toContain(`${price?.required ?? 0} required`)
  expect(screen.queryByText(/the rule asks for/)).toBeNull()
})

it.each<[string, Partial<Record<keyof Rule, unknown>>, RegExp]>([
  ['the guard', { subject: 'Guard1' }, /^About the guard as a whole/],
  ['an account of another kind', { subject: 'Bridge1' }, /such as an integration/],
  ['books', { metric: 'outflow_rate' }, /^Measured on what the program counts itself/],
  ['reports', { metric: 'keeper_median' }, /^Measured on what keepers report/],
])('says in words what a rule about %s is measured on', (_, fields, text) => {
  render(<RuleSources view={viewOf(fields)} rules={rules(2)} />)
  expect(basis()?.textContent).toMatch(text)
})
