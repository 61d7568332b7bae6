import * as v from 'valibot'

/** Returns a setting of the build; null where it is missing or empty. */
function setting(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

const Labels = v.record(v.string(), v.string())

/** Reads names of accounts; text that isn't a JSON object of texts names nothing. */
function labelsOf(text: string | null): Readonly<Record<string, string>> {
  try {
    return text === null ? {} : v.parse(Labels, JSON.parse(text))
  } catch {
    return {}
  }
}

const given = setting(import.meta.env.VITE_RAMPART_RPC)
/** Where a keeper passes requests on to the chain: a page that it serves may talk to nobody else. */
const relay = '/api/v1/rpc'
const guard = setting(import.meta.env.VITE_RAMPART_GUARD)
/** Whether there is no keeper: all is read from the RPC endpoint, and nothing is signed. */
const isAlone = given !== null && guard !== null

/** Where the app's data is and how often it is asked for. The one place that resolves settings. */
export const env = {
  /** Root of the keeper's API. The keeper serves the app, so it is always the same origin. */
  apiRoot: '/api/v1',
  /** An RPC endpoint, for simulations, sending and single positions: `VITE_RAMPART_RPC` of the build, else the keeper's relay. */
  rpc: given ?? relay,
  /** The keeper's relay. */
  relay,
  /**
   * A guard's address, `VITE_RAMPART_GUARD` of the build. With it and an RPC endpoint the app stands alone, as static files
   * without a keeper: it reads accounts on chain and signs nothing.
   */
  guard,
  isAlone,
  /** Names of accounts for an app that stands alone, `VITE_RAMPART_LABELS`: JSON, address to name. A keeper has its own. */
  labels: labelsOf(setting(import.meta.env.VITE_RAMPART_LABELS)),
  /** Where the lab's results are, if somebody serves them beside the app: named in `index.json`, else `backtest.json` alone. */
  labFolder: '/lab/',
  /** Time between two polls of the state. An endpoint that is shared with others is asked less often than a keeper. */
  pollMs: isAlone ? 4_000 : 1_000,
  /** Time between two polls of accounts. */
  accountsMs: 5_000,
  /** Time between two readings of all positions. */
  positionsMs: 30_000,
  /** Longest wait for one answer. */
  requestMs: isAlone ? 15_000 : 4_000,
  /** Longest wait for an answer of the RPC endpoint. */
  rpcMs: 15_000,
  /** Age from which shown state counts as stale. */
  staleMs: isAlone ? 20_000 : 5_000,
  /** First and longest wait before the event stream is opened again. */
  streamRetryMs: { first: 1_000, longest: 15_000 },
  /** How many events and price samples are kept. */
  keep: { events: 200, samples: 1_800 },
} as const
