/** The keeper can't be reached, or didn't answer in time. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** The keeper answered with an error status. */
export class BadStatus extends Error {
  override readonly name = 'BadStatus'
  constructor(readonly status: number) {
    super(`The keeper answered with status ${status}.`)
  }
}

/** The keeper's answer isn't what this version of the app reads. */
export class BadShape extends Error {
  override readonly name = 'BadShape'
  constructor(readonly where: string) {
    super(`The keeper's answer can't be read at ${where}.`)
  }
}

/** Why a request brought nothing. */
export type Failure = Unreachable | BadStatus | BadShape
