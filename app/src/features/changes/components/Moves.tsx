import { Address } from '@/components/ui/Address'
import { Icon } from '@/components/ui/Icon'
import type { Leaf, Move } from '@/lib/change'
import { type FieldContext, type Spelling, fieldName, fieldValue } from '@/lib/field'

const isAddress = (value: Leaf | undefined): value is string => typeof value === 'string' && /^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(value)

function Value({ move, value, context }: { move: Move; value: Leaf | undefined; context: FieldContext }) {
  if (isAddress(value)) {
    return (
      <>
        {value === context.own && 'the guard, by '}
        <Address value={value} label={fieldName(move.path)} />
      </>
    )
  }
  const text = fieldValue(move.path, value, context)
  return <span className="number">{text.length > 24 ? <code title={text}>{`${text.slice(0, 10)}…${text.slice(-6)}`}</code> : text}</span>
}

/** The fields that a change would move: value now, and value then. */
export function Moves({ moves, isCompared, spelling }: { moves: readonly Move[]; isCompared: boolean; spelling: Spelling }) {
  if (moves.length === 0) return <p className="quiet">{isCompared ? 'The account already holds these values.' : 'Its values can’t be read.'}</p>
  return (
    <>
      <dl className="moves">
        {moves.map((move) => (
          <div key={move.path.join('.')}>
            <dt>{fieldName(move.path)}</dt>
            <dd>
              {isCompared && (
                <>
                  <span className="visually-hidden">from</span>
                  <span className="quiet">
                    <Value move={move} value={move.from} context={spelling.from} />
                  </span>
                  <Icon name="arrow" size={15} />
                  <span className="visually-hidden">to</span>
                </>
              )}
              <strong>
                <Value move={move} value={move.to} context={spelling.to} />
              </strong>
            </dd>
          </div>
        ))}
      </dl>
      {!isCompared && <p className="warn">The account that it is about isn’t read here, so that these are all of its fields and nothing says which of them move.</p>}
    </>
  )
}
