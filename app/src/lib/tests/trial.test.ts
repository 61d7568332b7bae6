import { expect, it } from 'vitest'
import { type Trial, exportNote, maySign } from '@/lib/act/trial'

const passes = (isOld: boolean): Trial => ({ state: 'passes', effects: [], units: 1, isOld })
const fails = (isOld: boolean): Trial => ({ state: 'fails', why: 'Change has not waited for its delay', isOld })

it('lets only what passed just now be signed', () => {
  const all: Trial[] = [{ state: 'untried' }, { state: 'moved' }, { state: 'running' }, { state: 'unknown', why: 'gone' }, fails(false), fails(true), passes(true), passes(false)]
  expect(all.map(maySign)).toEqual([false, false, false, false, false, false, false, true])
})

it.each<[Trial, boolean, string]>([
  [{ state: 'untried' }, true, 'Not simulated: nobody has tried what you take along. Simulate it here first, or where you sign it.'],
  [{ state: 'moved' }, true, 'Not simulated: it has changed since, and what you take along is the newer one. Simulate it again.'],
  [{ state: 'running' }, true, 'Not simulated yet: the simulation is running.'],
  [{ state: 'unknown', why: 'gone' }, true, 'Not simulated: the simulation couldn’t be made. Simulate it where you sign it.'],
  [fails(false), true, 'Its simulation failed: Change has not waited for its delay. What you take along fails, too, unless that is over when it is signed.'],
  [fails(true), true, 'Its simulation of more than a minute ago failed: Change has not waited for its delay. What you take along fails, too, unless that is over when it is signed.'],
  [passes(true), true, 'Its simulation of more than a minute ago passed. Simulate it again, here or where you sign it.'],
  [passes(false), false, 'Its simulation passed just now. Simulate it again where you sign it later.'],
])('says of %j beside an export', (trial, isWarning, text) => {
  expect(exportNote(trial)).toEqual({ text, isWarning })
})
