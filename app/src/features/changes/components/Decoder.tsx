import { useState } from 'react'
import { Address } from '@/components/ui/Address'
import { Panel } from '@/components/ui/Panel'
import { type Blob, type Told, readBlob } from '@/lib/blob'
import { leavesOf } from '@/lib/change'
import { fieldName, fieldValue } from '@/lib/field'

const use = (isSigner: boolean, isWritable: boolean): string =>
  [isSigner ? 'signs' : null, isWritable ? 'is written' : 'is read'].filter((word) => word !== null).join(', ')

function Args({ args }: { args: unknown }) {
  const leaves = leavesOf(args)
  if (leaves.length === 0) return null
  return (
    <dl className="moves">
      {leaves.map(([path, value]) => (
        <div key={path.join('.')}>
          <dt>{fieldName(path)}</dt>
          <dd>{fieldValue(path, value, {})}</dd>
        </div>
      ))}
    </dl>
  )
}

function Instruction({ told, number }: { told: Told; number: number }) {
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
      {told.args !== null && <Args args={told.args} />}
    </article>
  )
}

function Read({ blob }: { blob: Blob }) {
  return (
    <div role="status">
      <p className="told-form">
        {`This is ${blob.form}.`} {blob.payer !== null && <>{'It is paid by '}<Address value={blob.payer} label="payer" />{'.'}</>}
      </p>
      {blob.instructions.map((told, index) => (
        <Instruction key={index} told={told} number={index + 1} />
      ))}
    </div>
  )
}

/** Reads what somebody was given to sign, and says what it does. */
export function Decoder() {
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
        {text.trim() !== '' && (blob === null ? <p className="warn" role="alert">This can’t be read as any of them. Don’t sign what nobody can read.</p> : <Read blob={blob} />)}
      </div>
    </Panel>
  )
}
