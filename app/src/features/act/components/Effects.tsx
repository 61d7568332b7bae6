import { Address } from '@/components/ui/Address'
import type { Effect } from '@/lib/act/effect'
import type { Leaf } from '@/lib/change'
import { type FieldContext, fieldName, fieldValue } from '@/lib/field'

const LIVES: Record<Effect['life'], string> = { changed: 'changes', created: 'is created', closed: 'is closed, and its rent goes back' }
const SHORT = 28

function Value({ path, value, context }: { path: readonly string[]; value: Leaf | undefined; context: FieldContext }) {
  if (value === undefined) return <span className="quiet">–</span>
  const text = fieldValue(path, value, context)
  return <span className="number">{text.length > SHORT ? <code title={text}>{`${text.slice(0, 10)}…${text.slice(-6)}`}</code> : text}</span>
}

/** What a simulated transaction does to each account, by the client's own decoders. */
export function Effects({ effects, contextOf }: { effects: readonly Effect[]; contextOf: (address: string) => FieldContext }) {
  if (effects.length === 0) return <p className="quiet">It changes no account that this app can read.</p>
  return (
    <div className="effects">
      {effects.map((effect) => (
        <section key={effect.address} aria-label={`Effect on ${effect.kind} ${effect.address}`}>
          <h4>
            {`${effect.kind} ${LIVES[effect.life]}`} <Address value={effect.address} label="account" />
          </h4>
          {effect.moves.length > 0 && (
            <div className="scroll" tabIndex={0} role="group" aria-label={`Fields of ${effect.kind} ${effect.address}`}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">Field</th>
                    <th scope="col" className="number">
                      Before
                    </th>
                    <th scope="col" className="number">
                      After
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {effect.moves.map(({ path, from, to }) => (
                    <tr key={path.join('.')}>
                      <th scope="row">{fieldName(path)}</th>
                      <td className="number">
                        <Value path={path} value={from} context={contextOf(effect.address)} />
                      </td>
                      <td className="number">
                        <Value path={path} value={to} context={contextOf(effect.address)} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </section>
      ))}
    </div>
  )
}
