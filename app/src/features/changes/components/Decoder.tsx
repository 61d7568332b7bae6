import { useState } from 'react'
import { Address } from '@/components/ui/Address'
import { Panel } from '@/components/ui/Panel'
import { Moves } from '@/features/changes/components/Moves'
import type { PendingChange } from '@/generated'
import type { Held } from '@/lib/accounts'
import { type Blob, type Told, readBlob } from '@/lib/blob'
import { type Targets, directionText, groupName, leavesOf } from '@/lib/change'
import { type FieldContext, contextOf, fieldName, fieldValue, spellingOf } from '@/lib/field'
import { nameOfTarget } from '@/lib/names'
import type { View } from '@/lib/schema/view'
import { type ToldChange, argsOf, changesOf, spelledBy } from '@/lib/told'

interface DecoderProps {
  /** What the accounts hold now: what is read is compared with it. */
  targets: Targets
  /** Changes that wait: an instruction about one names its address alone. */
  changes: readonly Held<PendingChange>[]
  view: View
}

const use = (isSigner: boolean, isWritable: boolean): string =>
  [isSigner ? 'signs' : null, isWritable ? 'is written' : 'is read'].filter((word) => word !== null).join(', ')

function Args({ args, context }: { args: unknown; context: FieldContext }) {
  const leaves = leavesOf(args)
  if (leaves.length === 0) return null
  return (
    <dl className="moves">
      {leaves.map(([path, value]) => (
        <div key={path.join('.')}>
          <dt>{fieldName(path)}</dt>
          <dd>{fieldValue(path, value, context)}</dd>
        </div>
      ))}
    </dl>
  )
}

function Change({ change, props: { targets, view } }: { change: ToldChange; props: DecoderProps }) {
  const { group, target, current, next, direction } = change
  const told = direction === null ? null : directionText(direction)
  const name = `${groupName(group)} of ${nameOfTarget(view, targets, target)}`
  return (
    <section aria-label={name}>
      <h4>{name}</h4>
      <Moves moves={change.moves} isCompared={change.isCompared} spelling={spellingOf(contextOf(view, target, targets), current, next)} />
      {told !== null && <p className="quiet">{`${told.word}: ${told.why}`}</p>}
    </section>
  )
}

function Instruction({ told, number, props }: { told: Told; number: number; props: DecoderProps }) {
  const { targets, changes, view } = props
  const found = changesOf(told, targets, changes)
  const spelled = spelledBy(told)
  return (
    <article className="told" aria-label={`Instruction ${number}`}>
      <h3>{told.name === null ? `Instruction ${number}: of another program` : `Instruction ${number}: ${told.name}`}</h3>
      <p>
        <span className="quiet">Program</span> <Address value={told.program} label="program" />
      </p>
      {told.name === null && <p className="warn">This app can’t say what it does. Read it elsewhere before you sign.</p>}
      <ol className="told-accounts">
        {told.accounts.map(({ name, meta }, index) => (
          // An account may be named twice; its place tells it apart.
          <li key={index}>
            <span>{name ?? 'account'}</span> <Address value={meta.pubkey} label={name ?? 'account'} />
            <span className="quiet">{use(meta.isSigner, meta.isWritable)}</span>
          </li>
        ))}
      </ol>
      {found.map((change) => (
        <Change key={change.group} change={change} props={props} />
      ))}
      {told.args !== null && <Args args={argsOf(told, found)} context={spelled === null ? {} : contextOf(view, spelled, targets)} />}
    </article>
  )
}

function Read({ blob, props }: { blob: Blob; props: DecoderProps }) {
  return (
    <div role="status">
      <p className="told-form">
        {`This is ${blob.form}.`} {blob.payer !== null && <>{'It is paid by '}<Address value={blob.payer} label="payer" />{'.'}</>}
      </p>
      {blob.instructions.map((told, index) => (
        <Instruction key={index} told={told} number={index + 1} props={props} />
      ))}
    </div>
  )
}

/** Reads what somebody was given to sign, and says what it does. */
export function Decoder(props: DecoderProps) {
  const [text, setText] = useState('')
  const blob = readBlob(text)
  return (
    <Panel title="What am I signing?" note="Paste a message, a transaction or an instruction, in base58 or base64. It is read here and sent nowhere.">
      <div className="decoder">
        <label>
          <span>What you were given</span>
          <textarea
            rows={4}
            value={text}
            spellCheck={false}
            onChange={(event) => {
              setText(event.target.value)
            }}
          />
        </label>
        {text.trim() !== '' && (blob === null ? <p className="warn" role="alert">This can’t be read as any of them. Don’t sign what nobody can read.</p> : <Read blob={blob} props={props} />)}
      </div>
    </Panel>
  )
}
