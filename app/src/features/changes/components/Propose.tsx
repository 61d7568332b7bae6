import type { Instruction } from '@solana/kit'
import { type ReactNode, useId, useState } from 'react'
import { CopyText } from '@/components/ui/CopyText'
import { OldNews } from '@/components/ui/Doubt'
import { Panel } from '@/components/ui/Panel'
import { useMade } from '@/components/useMade'
import { Moves } from '@/features/changes/components/Moves'
import type { Guard } from '@/generated'
import type { Held } from '@/lib/accounts'
import { U64_MAX } from '@/lib/bounds'
import { type Move, type Targets, currentOf, effectText } from '@/lib/change'
import { looserOf } from '@/lib/direction'
import type { Failure } from '@/lib/failure'
import { contextOf, fieldName, spellingOf } from '@/lib/field'
import { nameOfTarget } from '@/lib/names'
import { type Field, type Typed, readField, typed } from '@/lib/form'
import { type Obstacle, type Proposal, type Subject, fieldsOf, idOfProposal, movesOfProposal, obstacleOf, proposeInstruction, subjectsOf, valueOfProposal } from '@/lib/propose'
import type { View } from '@/lib/schema/view'
import { idOfTightening, isAtOnce, obstacleOfTightening, tightenInstruction, tightenersOf } from '@/lib/tighten'
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

/** What moves, as far as it is typed. */
interface Draft {
  proposal: Proposal
  fields: readonly Field[]
  moves: readonly Move[]
  current: unknown
}

function Refused({ obstacle: { why, command } }: { obstacle: Obstacle }) {
  return (
    <div className="act-steps">
      <p className="warn">{why}</p>
      {command !== null && <CopyText label="Command" text={command} />}
    </div>
  )
}

function Waiting({ draft: { proposal, moves, fields }, props }: { draft: Draft; props: ProposeProps }) {
  const { guard, targets, nowTs, act } = props
  const obstacle = obstacleOf(proposal, guard.value, moves, fields)
  const id = idOfProposal(proposal, guard, targets)
  const instruction = useMade(id, () => proposeInstruction(proposal, guard, targets, nowTs))
  if (obstacle !== null) return <Refused obstacle={obstacle} />
  return instruction === null ? null : act({ what: 'Proposal', instructions: [instruction], authority: guard.value.roles.root })
}

function AtOnce({ draft: { proposal, moves }, props }: { draft: Draft; props: ProposeProps }) {
  const { guard, targets, nowTs, act } = props
  const [named, setNamed] = useState('')
  const known = tightenersOf(guard.value)
  // whoever was chosen may have lost the role since
  const authority = known.find(({ key }) => key === named)?.key ?? known[0]?.key ?? ''
  const why = obstacleOfTightening(proposal.subject, moves, targets, guard.value, nowTs)
  const instruction = useMade(idOfTightening(proposal, authority, guard, targets), () => Promise.resolve(tightenInstruction(proposal, authority, guard, targets, nowTs)))
  if (why !== null) return <Refused obstacle={{ why, command: null }} />
  return (
    <>
      <label>
        <span>Who tightens; for a Squads multisig this key is its vault</span>
        <select
          value={authority}
          onChange={(event) => {
            setNamed(event.target.value)
          }}
        >
          {known.map(({ key, name }) => (
            <option key={key} value={key}>{`${name}: ${key}`}</option>
          ))}
        </select>
      </label>
      {instruction !== null && act({ what: 'Tightening', instructions: [instruction], authority })}
    </>
  )
}

/** Number of the group of the delay: a longer one needs no wait. Source: `Direction` of `propose_change`. */
const DELAY = 8

/** Says when what moves would hold, and which parts of it make it wait. */
function whenText({ proposal: { subject }, moves, current }: Draft, guard: Guard): string {
  if (isAtOnce(subject.group, moves, current)) return 'Every part gets stricter: it may hold at once.'
  const looser = looserOf(subject.group, moves, current)
  if (subject.group === DELAY && looser.length === 0) return 'A longer delay gets stricter: anyone may execute it once it is proposed.'
  const why = looser.length === 0 ? 'Nothing tightens this group at once.' : `What gets looser or has no strict side: ${looser.map(({ path }) => fieldName(path)).join('; ')}.`
  const rest = looser.length > 0 && looser.length < moves.length ? ' The rest waits with it: tighten that by itself to have it at once.' : ''
  return `It waits ${formatSpan(guard.loosenDelaySecs)} in public, where the vetoer or a guardian may stop it. ${why}${rest}`
}

const WAYS = [
  { key: 'once', name: 'Tighten at once', does: 'Root or the risk admin signs, and it holds with that transaction. Only a proposal that waits takes it back.' },
  { key: 'wait', name: 'Propose', does: 'Root signs, and it waits in public.' },
] as const

/** How what moves is brought about: both ways where every part of it gets stricter. */
function Ways({ draft, props }: { draft: Draft; props: ProposeProps }) {
  const [way, setWay] = useState<(typeof WAYS)[number]['key']>('once')
  const { proposal, moves, current } = draft
  if (!isAtOnce(proposal.subject.group, moves, current)) return <Waiting draft={draft} props={props} />
  return (
    <>
      <div className="act-choices" role="group" aria-label="How it is done">
        {WAYS.map(({ key, name }) => (
          <button
            type="button"
            key={key}
            className="button"
            aria-pressed={way === key}
            onClick={() => {
              setWay(key)
            }}
          >
            {name}
          </button>
        ))}
      </div>
      <p className="quiet">{WAYS.find(({ key }) => key === way)?.does}</p>
      {way === 'once' ? <AtOnce draft={draft} props={props} /> : <Waiting draft={draft} props={props} />}
    </>
  )
}

function Fields({ subject, props }: { subject: Subject; props: ProposeProps }) {
  const { targets, guard } = props
  const context = contextOf(props.view, subject.target, targets)
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({})
  const textOf = (field: Field) => texts[field.path.join('.')] ?? typed(field.now, field.unit)
  const valuesOf = (fields: readonly Field[]) => fields.map((field) => ({ key: field.path.join('.'), ...readField(field, textOf(field)) }))
  const taken = (read: ReturnType<typeof valuesOf>) => new Map(read.flatMap((one) => ('value' in one ? [[one.key, one.value] as const] : [])))
  // one field may bound another: what is typed counts, not what stands
  const fields = fieldsOf(subject, targets, guard.value, context, taken(valuesOf(fieldsOf(subject, targets, guard.value, context))))
  const read = valuesOf(fields)
  const isFine = read.every((one) => 'value' in one)
  const moves = movesOfProposal({ subject, next: taken(read) }, fields)
  const proposal = { subject, next: new Map(moves.map(({ path, to }) => [path.join('.'), to as Typed])) }
  const current = currentOf(subject.group, targets, subject.target)
  const draft = { proposal, fields, moves, current }
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
          <Moves moves={moves} isCompared spelling={spellingOf(context, current, valueOfProposal(proposal, targets))} />
          <p className="quiet">{`${whenText(draft, guard.value)} Tried first: ${effectText(subject.group)}`}</p>
        </section>
      )}
      {moves.length > 0 && isFine && <Ways draft={draft} props={props} />}
    </>
  )
}

/** A form for a change: values with units and bounds, what would move, whether it holds at once or waits, and how to sign it. */
export function Propose(props: ProposeProps) {
  const [chosen, setChosen] = useState('')
  const id = useId()
  const subjects = subjectsOf(props.targets, (address) => nameOfTarget(props.view, props.targets, address))
  const keyOf = ({ group, target }: Subject) => `${group} ${target}`
  const subject = subjects.find((one) => keyOf(one) === chosen)
  return (
    <Panel title="Change a value" note="What only gets stricter may hold at once, by root or the risk admin. All else root proposes, and it waits.">
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
