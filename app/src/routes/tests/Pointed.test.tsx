import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, it, vi } from 'vitest'
import { pathOf } from '@/lib/route'
import { Elsewhere, Pointed } from '@/routes/Banner'

const { GUARD, RPC } = vi.hoisted(() => ({ GUARD: '8LACMiC9h44jdVb7q2UaxGnpi3yXoAHpj5tseJzTVyBX', RPC: 'https://rpc.example.org/key' }))
vi.mock('@/config/given', () => ({ settled: () => ({ rpcUrl: RPC, guard: GUARD, cluster: 'mainnet', labels: {}, teller: 'link' }) }))
afterEach(cleanup)

it('says plainly which endpoint and guard a link chose, with a way back', () => {
  render(<Pointed />)
  const notice = screen.getByRole('status')
  expect(notice.textContent).toContain('The link that was opened chose the endpoint and the guard.')
  expect([notice.textContent.includes(RPC), notice.textContent.includes(GUARD)]).toEqual([true, true])
  expect(screen.getByRole('link', { name: 'Read by the page’s own settings' }).getAttribute('href')).toBe(window.location.pathname)
})

it('carries both on to the app’s other pages', () => {
  expect(pathOf('vaults')).toBe(`/vaults?rpc=${encodeURIComponent(RPC)}&guard=${GUARD}`)
})

it('says where the endpoint is of another cluster than the settings name', () => {
  render(<Elsewhere genesis="EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG" />)
  expect(screen.getByRole('alert').textContent).toContain('The endpoint is of devnet, and the settings say mainnet.')
  cleanup()
  render(<Elsewhere genesis="5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d" />)
  expect(screen.queryByRole('alert')).toBeNull()
})
