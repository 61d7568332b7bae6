import { useState } from 'react'
import { Address } from '@/components/ui/Address'
import { Panel } from '@/components/ui/Panel'
import { useMade } from '@/components/useMade'
import { Moves } from '@/features/changes/components/Moves'
import type { PendingChange } from '@/generated'
import type { Held } from '@/lib/accounts'
import { type Blob, type Tables, type Told, readBlob } from '@/lib/blob'
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
  /** Reads lookup tables, which a message may take accounts out of. */
  readTables: (addresses: readonly string[]) => Promise<Tables>
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

/** An account by its address, or by where it stands in a table that wasn't read. */
function Account({ name, meta: { pubkey, table } }: Told['accounts'][number]) {
  const label = name ?? 'account'
  return (
    <>
      {pubkey !== null && <Address value={pubkey} label={label} />}
      {table !== null && (
        <>
          <span className="quiet">{pubkey === null ? `entry ${table.place} of lookup table` : `by entry ${table.place} of lookup table`}</span>
          <Address value={table.address} label="lookup table" />
        </>
      )}
    </>
  )
}

function Instruction({ told, number, props }: { told: Told; number: number; props: DecoderProps }) {
  const { targets, changes, view } = props
  const found = changesOf(told, targets, changes)
  const spelled = spelledBy(told)
  return (
    <article className="told" aria-label={`Instruction ${number}`}>
      <h3>{`Instruction ${number}: ${told.name ?? (told.of === null ? 'of another program' : `of the ${told.of}`)}`}</h3>
      {told.does !== null && <p>{told.does}</p>}
      <p>
        <span className="quiet">{told.of === null ? 'Program' : `Program: ${told.of}`}</span> <Address value={told.program} label="program" />
      </p>
      {told.name === null && <p className="warn">This app can’t say what it does. Read it elsewhere before you sign.</p>}
      <ol className="told-accounts">
        {told.accounts.map(({ name, meta }, index) => (
          // An account may be named twice; its place tells it apart.
          <li key={index}>
            <span>{name ?? 'account'}</span> <Account name={name} meta={meta} />
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

/** What is known of lookup tables: their addresses, or why they can't be read. */
type Lookups = { tables: Tables } | { failure: string }

function useTables(addresses: readonly string[], read: DecoderProps['readTables']): Lookups | null {
  return useMade<Lookups>(addresses.join(' '), () => {
    if (addresses.length === 0) return Promise.resolve({ tables: new Map() })
    return read(addresses).then(
      (tables) => ({ tables }),
      (error: unknown) => ({ failure: error instanceof Error ? error.message : 'They can’t be read.' }),
    )
  })
}

/** Says which accounts stay without an address, and why. */
function Unresolved({ blob, lookups }: { blob: Blob; lookups: Lookups | null }) {
  const count = blob.instructions.flatMap(({ accounts }) => accounts).filter(({ meta }) => meta.pubkey === null).length
  if (count === 0) return null
  const why = lookups === null ? 'Reading the tables.' : 'failure' in lookups ? lookups.failure : 'The chain has no such table, or it has no such entry.'
  return <p className="warn">{`${count} of its accounts come out of lookup tables and have no address here. ${why} Don’t sign before each is known.`}</p>
}

function Read({ text, props }: { text: string; props: DecoderProps }) {
  const bare = readBlob(text)
  const lookups = useTables(bare?.tables ?? [], props.readTables)
  const blob = lookups !== null && 'tables' in lookups ? readBlob(text, lookups.tables) : bare
  if (blob === null) {
    return (
      <p className="warn" role="alert">
        This can’t be read as any of them. Don’t sign what nobody can read.
      </p>
    )
  }
  return (
    <div role="status">
      <Unresolved blob={blob} lookups={lookups} />
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
  return (
    <Panel title="What am I signing?" note="Paste a message, a transaction or an instruction, in base58 or base64. It is read here and sent nowhere; only lookup tables that it names are asked for.">
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
        {text.trim() !== '' && <Read text={text} props={props} />}
      </div>
    </Panel>
  )
}
