import { settled } from '@/config/given'

const { rpcUrl, guard, cluster, labels, teller } = settled()
/** Where a keeper passes requests on to the chain: a page that it serves may talk to nobody else. */
const relay = '/api/v1/rpc'
/** Whether there is no keeper: all is read from the RPC endpoint, and nothing is signed. */
const isAlone = rpcUrl !== null && guard !== null

/** Where the app's data is and how often it is asked for. The one place that resolves settings. */
export const env = {
  /** Root of the keeper's API. The keeper serves the app, so it is always the same origin. */
  apiRoot: '/api/v1',
  /** An RPC endpoint, for simulations, sending and single positions: the one that is set, else the keeper's relay. */
  rpc: rpcUrl ?? relay,
  /** The keeper's relay. */
  relay,
  /**
   * A guard's address. With it and an RPC endpoint the app stands alone, as static files without a keeper: it reads accounts on
   * chain and signs nothing.
   */
  guard,
  isAlone,
  /** Names of accounts for an app that stands alone, address to name. A keeper has its own. */
  labels,
  /** Which cluster the endpoint should be of; null where nobody said it. */
  cluster,
  /** Who said where the data is. */
  teller,
  /** What a link of the app carries on, so that the next page reads from where this one does. */
  search: teller === 'link' && isAlone ? `?${new URLSearchParams({ rpc: rpcUrl, guard }).toString()}` : '',
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
