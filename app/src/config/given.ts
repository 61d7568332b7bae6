import { isAddress } from '@solana/kit'
import * as v from 'valibot'

/** Who said where the app's data is: the build, the file beside the app, or the page's own address. */
export type Teller = 'build' | 'file' | 'link'

/** Where the app's data is, as far as somebody said it. */
export interface Given {
  rpcUrl: string | null
  guard: string | null
  /** Which cluster the endpoint should be of; null where nobody said it. */
  cluster: Cluster | null
  labels: Readonly<Record<string, string>>
  teller: Teller
}

/** Settings that can't be used, or were tried to be given in a way that isn't allowed. Nothing is read then. */
export class BadSettings extends Error {
  override readonly name = 'BadSettings'
}

const CLUSTERS = ['mainnet', 'devnet', 'testnet', 'localnet'] as const
/** A cluster by its name. */
export type Cluster = (typeof CLUSTERS)[number]

function isEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:')
}
const RpcUrl = v.pipe(v.string(), v.check(isEndpoint, 'must be an http or https address'))
const Guard = v.pipe(v.string(), v.check(isAddress, 'must be an account’s address'))
const Labels = v.record(v.string(), v.string())
const Config = v.strictObject({
  rpcUrl: v.optional(RpcUrl),
  guard: v.optional(Guard),
  cluster: v.optional(v.picklist(CLUSTERS, `must be one of ${CLUSTERS.join(', ')}`)),
  labels: v.optional(Labels, {}),
})

function parsed<const S extends v.GenericSchema>(schema: S, value: unknown, where: string): v.InferOutput<S> {
  const read = v.safeParse(schema, value, { abortEarly: true })
  if (read.success) return read.output
  const issue = read.issues[0]
  throw new BadSettings(`${where} can’t be used: ${v.getDotPath(issue) ?? 'it'} ${issue.message}.`)
}

/** Reads the file beside the app. Throws `BadSettings` for what isn't one: half of it is never used. */
export function ofFile(text: string): Given {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new BadSettings('config.json can’t be used: it isn’t JSON.')
  }
  const { rpcUrl, guard, cluster, labels } = parsed(Config, value, 'config.json')
  if (guard !== undefined && rpcUrl === undefined) throw new BadSettings('config.json can’t be used: a guard is read through an endpoint, and `rpcUrl` is missing.')
  return { rpcUrl: rpcUrl ?? null, guard: guard ?? null, cluster: cluster ?? null, labels, teller: 'file' }
}

/**
 * Reads the page's own address; null where it says nothing. Both have to be there: a page without a keeper only reads, and a link
 * must never choose the endpoint that a page which signs simulates on. Throws `BadSettings`.
 */
export function ofLink(search: string): Given | null {
  const query = new URLSearchParams(search)
  const [rpc, guard] = [query.get('rpc'), query.get('guard')]
  if (rpc === null && guard === null) return null
  if (rpc === null || guard === null) throw new BadSettings('The page’s address can’t be used: it has to name both, `rpc` and `guard`.')
  const where = 'The page’s address'
  return { rpcUrl: parsed(RpcUrl, rpc, `${where} (rpc)`), guard: parsed(Guard, guard, `${where} (guard)`), cluster: null, labels: {}, teller: 'link' }
}

const setting = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

/** Reads names of accounts; text that isn't a JSON object of texts names nothing. */
function labelsOf(text: string | null): Readonly<Record<string, string>> {
  try {
    return text === null ? {} : v.parse(Labels, JSON.parse(text))
  } catch {
    return {}
  }
}

const BUILD: Given = {
  rpcUrl: setting(import.meta.env.VITE_RAMPART_RPC),
  guard: setting(import.meta.env.VITE_RAMPART_GUARD),
  cluster: null,
  labels: labelsOf(setting(import.meta.env.VITE_RAMPART_LABELS)),
  teller: 'build',
}

let given: Given = BUILD

/** Returns where the app's data is. Asked for once, after `settle`. */
export const settled = (): Given => given

/** How long the file beside the app is waited for. A keeper has none, and says so at once. */
const WAIT_MS = 4_000

/** Fetches the file beside the app; null where there is none: hosts of single pages answer with the page itself. */
async function fileText(): Promise<string | null> {
  const answer = await fetch(`${import.meta.env.BASE_URL}config.json`, { cache: 'no-store', signal: AbortSignal.timeout(WAIT_MS) }).catch(() => null)
  const isPage = answer?.headers.get('content-type')?.includes('html') ?? false
  return answer?.ok === true && !isPage ? answer.text() : null
}

/** Settles where the app's data is: the page's address before the file beside it before the build. Throws `BadSettings`. */
export async function settle(search: string): Promise<Given> {
  const link = ofLink(search)
  const text = link === null ? await fileText() : null
  given = link ?? (text === null ? BUILD : ofFile(text))
  return given
}
