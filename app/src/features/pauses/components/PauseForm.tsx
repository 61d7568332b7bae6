import type { Instruction } from '@solana/kit'
import { type ReactNode, useId, useState } from 'react'
import { CopyText } from '@/components/ui/CopyText'
import { useMade } from '@/components/useMade'
import type { Guard } from '@/generated'
import type { Held } from '@/lib/accounts'
import { guardiansOf } from '@/lib/exported'
import { ACTIONS, ACTION_TEXT, gate, passWord } from '@/lib/gate'
import { levelText } from '@/lib/level'
import { PAUSE_LEVELS, type Pause, type PauseLevel, type Scope, endText, longestSecs, obstacleOfPause, pauseInstruction, quorumOf, readMinutes } from '@/lib/pause'
import { formatSpan } from '@/lib/time'

/** Simulates, signs and exports. */
export type ActOn = (order: { what: string; instructions: readonly Instruction[]; authority: string }) => ReactNode

interface PauseFormProps {
  guard: Held<Guard>
  scopes: readonly Scope[]
  nameOf: (address: string) => string
  nowTs: number
  act: ActOn
}

interface ChoiceProps {
  label: string
  value: string
  options: readonly { value: string; name: string }[]
  onValue: (value: string) => void
}

function Choice({ label, value, options, onValue }: ChoiceProps) {
  return (
    <label>
      <span>{label}</span>
      <select
        value={value}
        onChange={(event) => {
          onValue(event.target.value)
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.name}
          </option>
        ))}
      </select>
    </label>
  )
}

/** What a pause does, in words: to each action, and until when. */
function Meaning({ level, secs, where }: { level: PauseLevel; secs: number; where: string }) {
  return (
    <section className="propose-diff pause-meaning" aria-label="What it does">
      <h3>What it does</h3>
      <p>{`${where}: at least “${levelText(level).name}”. ${levelText(level).meaning}`}</p>
      <dl>
        {ACTIONS.map((action) => (
          <div key={action}>
            <dt>{ACTION_TEXT[action].name}</dt>
            <dd data-pass={gate(action, level).kind}>{passWord(gate(action, level))}</dd>
          </div>
        ))}
      </dl>
      <p className="quiet">{endText(level, secs)}</p>
    </section>
  )
}

function Prepared({ pause, secs, scope, props }: { pause: Pause; secs: number; scope: Scope; props: PauseFormProps }) {
  const { guard, nowTs, act } = props
  const obstacle = obstacleOfPause(pause, secs, scope, guard, nowTs)
  const id = [pause.scope, pause.level, pause.guardian, secs, guard.value.authorityEpoch].join(' ')
  const instruction = useMade(id, () => Promise.resolve(pauseInstruction(pause, secs, guard, nowTs)))
  if (obstacle === null) return instruction === null ? null : act({ what: 'Pause', instructions: [instruction], authority: pause.guardian })
  return (
    <div className="act-steps">
      <p className="warn">{obstacle.why}</p>
      {obstacle.command !== null && <CopyText label="Command" text={obstacle.command} />}
    </div>
  )
}

const levelName = (level: PauseLevel, guard: Guard): string => {
  const quorum = quorumOf(guard)
  return level < 3 ? `${levelText(level).name}, by one guardian` : `${levelText(level).name}, by ${quorum === 1 ? 'one guardian' : `${quorum} guardians`}`
}

/** Raises a level for a bounded time: where, how far, for how long and by whom, what that does, and how to sign it. */
export function PauseForm(props: PauseFormProps) {
  const { guard, scopes, nameOf, nowTs } = props
  const guardians = guardiansOf(guard.value.roles)
  const [where, setWhere] = useState('')
  const [level, setLevel] = useState<PauseLevel>(2)
  const [named, setNamed] = useState('')
  const [minutes, setMinutes] = useState('60')
  const id = useId()
  const scope = scopes.find(({ address }) => address === where) ?? scopes[0]
  // whoever was chosen may have lost the role since
  const guardian = guardians.find((key) => (key as string) === named) ?? guardians[0]
  if (scope === undefined || guardian === undefined) return null
  const pause = { scope: scope.address, level, guardian }
  const longest = longestSecs(pause, guard.value, nowTs)
  const read = readMinutes(minutes, longest)
  const wrong = 'wrong' in read ? read.wrong : null
  const title = (address: string) => (address === guard.address ? 'The whole guard' : nameOf(address))
  return (
    <div className="padded propose">
      <div className="propose-fields">
        <Choice label="What to pause" value={scope.address} onValue={setWhere} options={scopes.map(({ address }) => ({ value: address, name: title(address) }))} />
        <Choice
          label="At which level"
          value={String(level)}
          onValue={(value) => {
            setLevel(PAUSE_LEVELS.find((known) => String(known) === value) ?? 2)
          }}
          options={PAUSE_LEVELS.map((known) => ({ value: String(known), name: levelName(known, guard.value) }))}
        />
        <Choice label="Who pauses (of a multisig, its vault)" value={guardian} onValue={setNamed} options={guardians.map((key, at) => ({ value: key, name: `Guardian ${at + 1}: ${key}` }))} />
        <div className="propose-field">
          <label htmlFor={id}>For how long</label>
          <span className="propose-input">
            <input
              id={id}
              inputMode="numeric"
              autoComplete="off"
              value={minutes}
              aria-invalid={wrong !== null}
              aria-describedby={`${id}-why`}
              onChange={(event) => {
                setMinutes(event.target.value)
              }}
            />
            <span className="quiet">min</span>
          </span>
          <small id={`${id}-why`} className={wrong === null ? 'quiet' : 'warn'}>
            {wrong ?? `at most ${formatSpan(longest)}: one pause up to ${formatSpan(guard.value.bounds.maxPauseSecs)}, and what is left of the budget of 30 days`}
          </small>
        </div>
      </div>
      {'secs' in read && (
        <>
          <Meaning level={level} secs={read.secs} where={title(scope.address)} />
          <Prepared pause={pause} secs={read.secs} scope={scope} props={props} />
        </>
      )}
    </div>
  )
}
