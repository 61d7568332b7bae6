/** Whoever was asked can't be reached, or didn't answer in time. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** Whoever was asked answered with an error status. */
export class BadStatus extends Error {
  override readonly name = 'BadStatus'
  constructor(
    readonly status: number,
    who = 'The keeper',
  ) {
    super(`${who} answered with status ${status}.`)
  }
}

/** The answer isn't what this version of the app reads. */
export class BadShape extends Error {
  override readonly name = 'BadShape'
  constructor(
    readonly where: string,
    who = 'The keeper',
  ) {
    super(`${who}'s answer can't be read at ${where}.`)
  }
}

/** Only a keeper has it, and none serves this page. */
export class NoKeeper extends Error {
  override readonly name = 'NoKeeper'
  constructor() {
    super('Only a keeper has this, and none serves this page.')
  }
}

/** The keeper that serves this page passes nothing on to the chain. */
export class NoRelay extends Error {
  override readonly name = 'NoRelay'
  constructor() {
    super('The keeper that serves this page passes nothing on to the chain (its setting `http.relay`), so the page can neither simulate nor send. Simulate what you take along where you sign it.')
  }
}

/** Why a request brought nothing. */
export type Failure = Unreachable | BadStatus | BadShape | NoKeeper | NoRelay

/** Tells whether what was asked for isn't kept by whoever serves the page: trying again won't help. */
export function isNotKept(failure: Failure | null): boolean {
  return failure instanceof NoKeeper || (failure instanceof BadStatus && failure.status === 404)
}
