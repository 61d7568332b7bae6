/** Where the app's data is and how often it is asked for. The one place that resolves settings. */
export const env = {
  /** Root of the keeper's API. The keeper serves the app, so it is always the same origin. */
  apiRoot: '/api/v1',
  /**
   * An RPC endpoint and a guard's address, `VITE_RAMPART_RPC` and `VITE_RAMPART_GUARD`, set when the app is built: accounts are
   * then read from there. The state around them still comes from a keeper.
   */
  rpc: (import.meta.env.VITE_RAMPART_RPC as string | undefined) ?? null,
  guard: (import.meta.env.VITE_RAMPART_GUARD as string | undefined) ?? null,
  /** Where the lab's results are, if somebody serves them beside the app. */
  labResults: '/lab/backtest.json',
  /** Time between two polls of the state. */
  pollMs: 1_000,
  /** Time between two polls of accounts. */
  accountsMs: 5_000,
  /** Longest wait for one answer. */
  requestMs: 4_000,
  /** Age from which shown state counts as stale. */
  staleMs: 5_000,
  /** First and longest wait before the event stream is opened again. */
  streamRetryMs: { first: 1_000, longest: 15_000 },
  /** How many events and price samples are kept. */
  keep: { events: 200, samples: 1_800 },
} as const
