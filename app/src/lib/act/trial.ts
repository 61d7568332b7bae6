import type { Effect } from '@/lib/act/effect'

/** How long a simulation says something about now: prices and positions move on. */
export const TRIAL_MS = 60_000

/** What is known of how instructions would fare. `isOld`: it was simulated more than `TRIAL_MS` ago. */
export type Trial =
  /** Nobody has simulated them. */
  | { state: 'untried' }
  /** What was simulated is something else by now: other accounts or other data. */
  | { state: 'moved' }
  | { state: 'running' }
  /** The simulation itself couldn't be made. */
  | { state: 'unknown'; why: string }
  | { state: 'fails'; why: string; isOld: boolean }
  | { state: 'passes'; effects: readonly Effect[]; units: number; isOld: boolean }

/** Tells whether instructions may be signed by what is known: they are what was simulated just now, and it passed. */
export function maySign(trial: Trial): boolean {
  return trial.state === 'passes' && !trial.isOld
}

/** Says beside what is exported how it would fare. Nothing is forbidden: a proposal for later may rightly fail today. */
export function exportNote(trial: Trial): { text: string; isWarning: boolean } {
  const warning = (text: string) => ({ text, isWarning: true })
  switch (trial.state) {
    case 'untried':
      return warning('Not simulated: nobody has tried what you take along. Simulate it here first, or where you sign it.')
    case 'moved':
      return warning('Not simulated: it has changed since, and what you take along is the newer one. Simulate it again.')
    case 'running':
      return warning('Not simulated yet: the simulation is running.')
    case 'unknown':
      return warning('Not simulated: the simulation couldn’t be made. Simulate it where you sign it.')
    case 'fails':
      return warning(`${trial.isOld ? 'Its simulation of more than a minute ago failed' : 'Its simulation failed'}: ${trial.why}. What you take along fails, too, unless that is over when it is signed.`)
    case 'passes':
      return trial.isOld
        ? warning('Its simulation of more than a minute ago passed. Simulate it again, here or where you sign it.')
        : { text: 'Its simulation passed just now. Simulate it again where you sign it later.', isWarning: false }
  }
}
