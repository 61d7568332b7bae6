import { isAddress } from '@solana/kit'
import type { Instruction } from '@solana/kit'
import { type ReactNode, useId, useState } from 'react'
import type { Guard, PendingChange } from '@/generated'
import type { Held } from '@/lib/accounts'
import { type Targets, givesRoles, stageOf } from '@/lib/change'
import { type Rows, evidenceOf } from '@/lib/evidence'
import type { Failure } from '@/lib/failure'
import { type Act, executorOf, instructionOf, vetoersOf } from '@/lib/exported'

interface ChangeActionsProps {
  change: Held<PendingChange>
  guard: Guard
  nowTs: number
  /** Address of the guard's keeper set; null while it isn't worked out. */
  keeperSet: string | null
  targets: Targets
  /** Positions of the change's vault. */
  rows: Rows
  /** Why the positions can't be read; null where they are, and while they are asked for. */
  failure: Failure | null
  /** Simulates, signs and exports. */
  act: (order: { what: string; instructions: readonly Instruction[]; authority: string }) => ReactNode
}

const TEXTS: Record<Act, { name: string; does: string; signer: string }> = {
  veto: { name: 'Veto', does: 'Closes the change for good. It may be signed in advance.', signer: 'Who vetoes' },
  execute: { name: 'Execute', does: 'Puts the change in force, if its effect stays within the bound. Anyone may.', signer: 'Who pays' },
  cancel: { name: 'Cancel', does: 'Root takes the change back.', signer: 'Root' },
}

/** Returns why an execution isn't possible now; null where it is. What it needs and wasn't read is never left out. */
function obstacleOfExecution({ change, guard, nowTs, keeperSet, targets, rows, failure }: ChangeActionsProps): string | null {
  const stage = stageOf(change.value, guard, nowTs)
  if (stage === 'waiting') return 'It isn’t ripe yet.'
  if (stage === 'expired') return 'Its window has passed.'
  if (stage === 'void') return 'The roles have changed since it was proposed.'
  if (givesRoles(change.value.group) && keeperSet === null) return 'The address of the guard’s keeper set isn’t worked out yet, which a change of roles has to name.'
  const evidence = evidenceOf(change, targets, rows)
  if ('accounts' in evidence) return null
  return rows === undefined && failure !== null ? `${evidence.missing} ${failure.message}` : evidence.missing
}

/** Returns why an act isn't possible now; null where it is. */
function obstacle(act: Act, props: ChangeActionsProps): string | null {
  if (act === 'execute') return obstacleOfExecution(props)
  return act === 'veto' && signersOf(act, props).length === 0 ? 'Nobody may veto it: it takes away the role of each who could.' : null
}

/** The instruction of an act; of an execution with all that its effect is tried on. */
function built(act: Act, authority: string, { change, keeperSet, targets, rows }: ChangeActionsProps): Instruction {
  const evidence = act === 'execute' ? evidenceOf(change, targets, rows) : { accounts: [] }
  return instructionOf({ act, change, authority, keeperSet, evidence: 'accounts' in evidence ? evidence.accounts : [] })
}

/** Keys of which one signs an act; empty where whoever pays may. */
function signersOf(act: Act, { change, guard }: ChangeActionsProps): { key: string; name: string }[] {
  if (act === 'veto') return vetoersOf(guard, change.value)
  if (act === 'cancel') return [{ key: guard.roles.root, name: 'Root' }]
  const executor = executorOf(change.value)
  return executor === null ? [] : [{ key: executor, name: 'The new root' }]
}

function Form({ act, props }: { act: Act; props: ChangeActionsProps }) {
  const id = useId()
  const known = signersOf(act, props)
  const [named, setNamed] = useState('')
  // whoever was chosen may have lost the role since
  const authority = known.length === 0 || known.some(({ key }) => key === named) ? named : (known[0]?.key ?? '')
  const why = obstacle(act, props)
  if (why !== null) return <p className="quiet">{why}</p>
  return (
    <div className="act-form">
      <p>{act === 'execute' && known.length > 0 ? 'The new root takes over by its own signature. All that is pending becomes void.' : TEXTS[act].does}</p>
      {known.length === 0 ? (
        <label>
          <span>{`${TEXTS[act].signer}: a wallet, a Squads vault or a Realms treasury`}</span>
          <input
            value={authority}
            spellCheck={false}
            autoComplete="off"
            aria-describedby={id}
            onChange={(event) => {
              setNamed(event.target.value.trim())
            }}
          />
        </label>
      ) : (
        <label>
          <span>{`${act === 'execute' ? 'Who accepts' : TEXTS[act].signer}; for a Squads multisig this key is its vault`}</span>
          <select
            value={authority}
            aria-describedby={id}
            onChange={(event) => {
              setNamed(event.target.value)
            }}
          >
            {known.map(({ key, name }) => (
              <option key={key} value={key}>{`${name}: ${key}`}</option>
            ))}
          </select>
        </label>
      )}
      <p id={id} className="quiet">
        What you take along can be read again below, in words.
      </p>
      {isAddress(authority) ? props.act({ what: TEXTS[act].name, authority, instructions: [built(act, authority, props)] }) : authority !== '' && <p className="warn">This isn’t an address.</p>}
    </div>
  )
}

/** What can be done with a change, as something to take to a multisig. */
export function ChangeActions(props: ChangeActionsProps) {
  const [act, setAct] = useState<Act | null>(null)
  return (
    <div className="act">
      <div className="act-choices" role="group" aria-label="What to prepare">
        {(['veto', 'execute', 'cancel'] as const).map((choice) => (
          <button
            type="button"
            key={choice}
            className="button"
            aria-pressed={act === choice}
            onClick={() => {
              setAct(act === choice ? null : choice)
            }}
          >
            {TEXTS[choice].name}
          </button>
        ))}
      </div>
      {act !== null && <Form key={act} act={act} props={props} />}
    </div>
  )
}
