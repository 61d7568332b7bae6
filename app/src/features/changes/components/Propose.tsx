import type { Instruction } from '@solana/kit'
import { type ReactNode, useId, useState } from 'react'
import { CopyText } from '@/components/ui/CopyText'
import { OldNews } from '@/components/ui/Doubt'
import { Panel } from '@/components/ui/Panel'
import { useMade } from '@/components/useMade'
import { Moves } from '@/features/changes/components/Moves'
import type { Guard } from '@/generated'
import type { Held } from '@/lib/accounts'
import { type Targets, currentOf, effectText } from '@/lib/change'
import type { Failure } from '@/lib/failure'
import { contextOf, fieldName, spellingOf } from '@/lib/field'
import { nameOfTarget } from '@/lib/names'
import { type Field, type Typed, U64_MAX, readField, typed } from '@/lib/form'
import { type Proposal, type Subject, fieldsOf, idOfProposal, movesOfProposal, obstacleOf, proposeInstruction, subjectsOf, valueOfProposal } from '@/lib/propose'
import type { View } from '@/lib/schema/view'
import { formatSpan } from '@/lib/time'

interface ProposeProps {
  guard: Held<Guard>
  targets: Targets
  view: View
  nowTs: number
  /** Why what the fields hold now can't be read any more. */
  failure: Failure | null
  /** Simulates, signs and exports. */
  act: (order: { what: string; instructions: readonly Instruction[]; authority: string }) => ReactNode
}

/** What of a field is said beside it while nothing is wrong. */
function hint({ now, kind, unit, bounds: { min, max } }: Field): string {
  const isWide = kind !== 'number' || max >= U64_MAX
  return isWide ? `now ${typed(now, unit)}` : `now ${typed(now, unit)}; ${typed(min, unit)} to ${typed(max, unit)}`
}

function Input({ field, text, onText }: { field: Field; text: string; onText: (text: string) => void }) {
  const id = useId()
  const read = readField(field, text)
  const wrong = 'wrong' in read ? read.wrong : null
  const shared = {
    id,
    value: text,
    disabled: field.fixed !== null,
    'aria-invalid': wrong !== null,
    'aria-describedby': `${id}-why`,
    onChange: (event: { target: { value: string } }) => {
      onText(event.target.value)
    },
  }
  const { choices } = field
  return (
    <div className="propose-field" data-moved={'value' in read && read.value !== field.now}>
      <label htmlFor={id}>{fieldName(field.path)}</label>
      <span className="propose-input">
        {choices === null ? (
          <input {...shared} inputMode={field.kind === 'number' ? 'decimal' : 'text'} autoComplete="off" spellCheck={false} />
        ) : (
          <select {...shared}>
            {!(Number(field.now) in choices) && <option value={String(field.now)}>{String(field.now)}</option>}
            {Object.entries(choices).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        )}
        <span className="quiet">{field.unit.sign}</span>
      </span>
      <small id={`${id}-why`} className={wrong === null ? 'quiet' : 'warn'}>
        {wrong ?? field.fixed ?? (choices === null ? hint(field) : `now ${choices[Number(field.now)] ?? String(field.now)}`)}
      </small>
    </div>
  )
}

function Prepared({ proposal, props }: { proposal: Proposal; props: ProposeProps }) {
  const { guard, targets, nowTs, act } = props
  const obstacle = obstacleOf(proposal, guard.value)
  const id = idOfProposal(proposal, guard, targets)
  const instruction = useMade(id, () => proposeInstruction(proposal, guard, targets, nowTs))
  if (obstacle !== null) {
    return (
      <div className="act-steps">
        <p className="warn">{obstacle.why}</p>
        <CopyText label="Command" text={obstacle.command} />
      </div>
    )
  }
  return instruction === null ? null : act({ what: 'Proposal', instructions: [instruction], authority: guard.value.roles.root })
}

function Fields({ subject, props }: { subject: Subject; props: ProposeProps }) {
  const context = contextOf(props.view, subject.target, props.targets)
  const fields = fieldsOf(subject, props.targets, props.guard.value, context)
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({})
  const textOf = (field: Field) => texts[field.path.join('.')] ?? typed(field.now, field.unit)
  const read = fields.map((field) => ({ key: field.path.join('.'), ...readField(field, textOf(field)) }))
  const isFine = read.every((one) => 'value' in one)
  const next = new Map(read.flatMap((one) => ('value' in one ? [[one.key, one.value] as const] : [])))
  const moves = movesOfProposal({ subject, next }, fields)
  const moved = new Map(moves.map(({ path, to }) => [path.join('.'), to as Typed]))
  const proposal = { subject, next: moved }
  const spelling = spellingOf(context, currentOf(subject.group, props.targets, subject.target), valueOfProposal(proposal, props.targets))
  return (
    <>
      <div className="propose-fields">
        {fields.map((field) => (
          <Input
            key={field.path.join('.')}
            field={field}
            text={textOf(field)}
            onText={(text) => {
              setTexts({ ...texts, [field.path.join('.')]: text })
            }}
          />
        ))}
      </div>
      {moves.length === 0 ? (
        <p className="quiet">Nothing moves yet.</p>
      ) : (
        <section className="propose-diff" aria-label="What would change">
          <h3>What would change</h3>
          <Moves moves={moves} isCompared spelling={spelling} />
          <p className="quiet">{`It waits ${formatSpan(props.guard.value.loosenDelaySecs)} in public, where the vetoer or a guardian may stop it. Tried at execution: ${effectText(subject.group)}`}</p>
        </section>
      )}
      {moves.length > 0 && isFine && <Prepared proposal={proposal} props={props} />}
    </>
  )
}

/** A form that lets a change wait in the queue: values with units and bounds, what would move, and how to sign it. */
export function Propose(props: ProposeProps) {
  const [chosen, setChosen] = useState('')
  const id = useId()
  const subjects = subjectsOf(props.targets, (address) => nameOfTarget(props.view, props.targets, address))
  const keyOf = ({ group, target }: Subject) => `${group} ${target}`
  const subject = subjects.find((one) => keyOf(one) === chosen)
  return (
    <Panel title="Propose a change" note="Root signs it.">
      <OldNews failure={props.failure} />
      <div className="padded propose">
        <label htmlFor={id}>What shall change</label>
        <select
          id={id}
          value={chosen}
          onChange={(event) => {
            setChosen(event.target.value)
          }}
        >
          <option value="">Choose</option>
          {subjects.map((one) => (
            <option key={keyOf(one)} value={keyOf(one)}>
              {one.name}
            </option>
          ))}
        </select>
        {subject !== undefined && <Fields key={chosen} subject={subject} props={props} />}
      </div>
    </Panel>
  )
}
