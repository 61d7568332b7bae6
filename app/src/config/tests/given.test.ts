import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BadSettings, ofFile, ofLink, settle, settled } from '@/config/given'

const GUARD = '8LACMiC9h44jdVb7q2UaxGnpi3yXoAHpj5tseJzTVyBX'
const RPC = 'https://rpc.example.org/?key=a'
const file = (value: unknown) => ofFile(JSON.stringify(value))

describe('the file beside the app', () => {
  it('names an endpoint, a guard, a cluster and accounts', () => {
    expect(file({ rpcUrl: RPC, guard: GUARD, cluster: 'devnet', labels: { [GUARD]: 'ours' } })).toEqual({ rpcUrl: RPC, guard: GUARD, cluster: 'devnet', labels: { [GUARD]: 'ours' }, teller: 'file' })
    expect(file({ rpcUrl: RPC })).toEqual({ rpcUrl: RPC, guard: null, cluster: null, labels: {}, teller: 'file' })
    expect(file({})).toMatchObject({ rpcUrl: null, guard: null })
  })
  it.each<[unknown, string]>([
    [{ rpcUrl: 'javascript:alert(1)', guard: GUARD }, 'config.json can’t be used: rpcUrl must be an http or https address.'],
    [{ rpcUrl: 5 }, 'config.json can’t be used: rpcUrl Invalid type: Expected string but received 5.'],
    [{ rpcUrl: RPC, guard: 'nobody' }, 'config.json can’t be used: guard must be an account’s address.'],
    [{ rpcUrl: RPC, cluster: 'moon' }, 'config.json can’t be used: cluster must be one of mainnet, devnet, testnet, localnet.'],
    [{ guard: GUARD }, 'config.json can’t be used: a guard is read through an endpoint, and `rpcUrl` is missing.'],
    [{ rpc: RPC }, 'config.json can’t be used: rpc Invalid key: Expected never but received "rpc".'],
  ])('is refused for %j', (value, why) => {
    expect(() => file(value)).toThrow(new BadSettings(why))
  })
  it('is refused for what isn’t JSON', () => {
    expect(() => ofFile('{')).toThrow(new BadSettings('config.json can’t be used: it isn’t JSON.'))
  })
})

describe('the page’s own address', () => {
  it('names both, or says nothing', () => {
    expect(ofLink(`?rpc=${encodeURIComponent(RPC)}&guard=${GUARD}`)).toEqual({ rpcUrl: RPC, guard: GUARD, cluster: null, labels: {}, teller: 'link' })
    expect([ofLink(''), ofLink('?page=2')]).toEqual([null, null])
  })
  it('never chooses an endpoint for a page that signs', () => {
    for (const search of [`?rpc=${RPC}`, `?guard=${GUARD}`]) expect(() => ofLink(search)).toThrow(new BadSettings('The page’s address can’t be used: it has to name both, `rpc` and `guard`.'))
  })
  it('is refused for what is neither', () => {
    expect(() => ofLink(`?rpc=ftp://x&guard=${GUARD}`)).toThrow(new BadSettings('The page’s address (rpc) can’t be used: it must be an http or https address.'))
    expect(() => ofLink(`?rpc=${RPC}&guard=x`)).toThrow(new BadSettings('The page’s address (guard) can’t be used: it must be an account’s address.'))
  })
})

describe('what counts', () => {
  const asked = vi.fn<(path: string) => Promise<Response>>()
  const serving = (text: string | null, type = 'application/json') => asked.mockImplementation(() => Promise.resolve(text === null ? new Response('', { status: 404 }) : new Response(text, { headers: { 'content-type': type } })))
  beforeEach(() => {
    asked.mockReset()
    vi.stubGlobal('fetch', asked)
  })
  afterEach(() => {
    vi.unstubAllGlobals()
  })
  it('is the page’s address before the file, which isn’t asked for then', async () => {
    serving(JSON.stringify({ rpcUrl: 'https://other.example.org' }))
    expect(await settle(`?rpc=${RPC}&guard=${GUARD}`)).toMatchObject({ teller: 'link', guard: GUARD })
    expect(asked).not.toHaveBeenCalled()
  })
  it('is the file before the build', async () => {
    serving(JSON.stringify({ rpcUrl: RPC, guard: GUARD }))
    await settle('')
    expect(asked.mock.calls.map(([path]) => path)).toEqual(['/config.json'])
    expect(settled()).toMatchObject({ teller: 'file', rpcUrl: RPC })
  })
  it.each<[string, () => void]>([
    ['answers 404', () => serving(null)],
    ['answers with the page itself', () => serving('<!doctype html>', 'text/html')],
    ['can’t be reached', () => asked.mockRejectedValue(new TypeError('gone'))],
  ])('is the build where the host %s', async (_, answers) => {
    answers()
    expect(await settle('')).toMatchObject({ teller: 'build', rpcUrl: null, guard: null })
  })
  it('is nothing where the file is wrong', async () => {
    serving('{"rpcUrl":"x"}')
    await expect(settle('')).rejects.toThrow(BadSettings)
  })
})
