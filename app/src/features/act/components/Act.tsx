import type { Instruction } from '@solana/kit'
import { useState } from 'react'
import { CopyText } from '@/components/ui/CopyText'
import { Icon } from '@/components/ui/Icon'
import { env } from '@/config/env'
import { noteOutcome } from '@/features/act/api/outcomes'
import { type Sent, type Simulated, signAndSend, simulate } from '@/features/act/api/transact'
import { useWallets } from '@/features/act/api/useWallets'
import { Effects } from '@/features/act/components/Effects'
import type { Wallet, WalletAccount } from '@/lib/act/wallet'
import { formatCount } from '@/lib/amount'
import { jsonInstruction, realmsInstruction, squadsMessage } from '@/lib/exported'
import type { FieldContext } from '@/lib/field'
import { shortAddress } from '@/lib/names'

interface ActProps {
  /** What is done, in a word or two. */
  what: string
  /** What is to be done, in order. Built anew at each render; `id` says what it is. */
  instructions: readonly Instruction[]
  /** Identifies the instructions: a simulation of others counts for nothing. */
  id: string
  /** Who signs and pays. */
  authority: string
  /** How fields of an account are spelled. */
  contextOf: (address: string) => FieldContext
}

const messageOf = (error: unknown): string => (error instanceof Error && error.message !== '' ? error.message : 'It was refused.')

function Exports({ instructions, authority }: Pick<ActProps, 'instructions' | 'authority'>) {
  return (
    <div className="exports">
      <CopyText label="Squads: message in base58; import it in the vault that pays" text={squadsMessage(instructions, authority)} />
      {instructions.map((instruction, index) => (
        <CopyText
          key={index}
          label={instructions.length === 1 ? 'Realms: instruction in base64' : `Realms: instruction ${index + 1} of ${instructions.length} in base64`}
          text={realmsInstruction(instruction)}
        />
      ))}
      <CopyText label="Other tools: instructions as JSON" text={jsonInstruction(instructions)} />
    </div>
  )
}

/** Work that a press starts: it runs once at a time, and ends in a value or a reason. */
function useWork<T>(): { value: T | null; failure: string | null; isRunning: boolean; run: (work: (signal: AbortSignal) => Promise<T>) => void } {
  const [state, setState] = useState<{ value: T | null; failure: string | null; isRunning: boolean }>({ value: null, failure: null, isRunning: false })
  const run = (work: (signal: AbortSignal) => Promise<T>) => {
    setState({ value: null, failure: null, isRunning: true })
    work(new AbortController().signal).then(
      (value) => {
        setState({ value, failure: null, isRunning: false })
      },
      (error: unknown) => {
        setState({ value: null, failure: messageOf(error), isRunning: false })
      },
    )
  }
  return { ...state, run }
}

function Signing({ wallet, account, instructions, what }: { wallet: Wallet; account: WalletAccount } & Pick<ActProps, 'instructions' | 'what'>) {
  const { value, failure, isRunning, run } = useWork<Sent>()
  return (
    <>
      <button
        type="button"
        className="button primary"
        disabled={isRunning || value !== null}
        onClick={() => {
          run(async (signal) => {
            const sent = await signAndSend(instructions, wallet, account, signal)
            noteOutcome({ ...sent, what })
            return sent
          })
        }}
      >
        {value !== null ? 'Sent' : isRunning ? 'Waiting for the network' : `Sign with ${wallet.name} and send`}
      </button>
      {failure !== null && (
        <p className="warn" role="alert">
          {failure}
        </p>
      )}
    </>
  )
}

function Wallets({ authority, instructions, what }: Pick<ActProps, 'instructions' | 'authority' | 'what'>) {
  const wallets = useWallets()
  const { value, failure, isRunning, run } = useWork<{ wallet: Wallet; accounts: readonly WalletAccount[] }>()
  const account = value?.accounts.find(({ address }) => address === authority)
  if (wallets.length === 0) return <p className="quiet">No wallet has registered itself in this browser. Export it instead.</p>
  return (
    <div className="wallets">
      {value === null && (
        <div className="act-choices" role="group" aria-label="Wallets">
          {wallets.map((wallet) => (
            <button
              type="button"
              key={wallet.name}
              className="button"
              disabled={isRunning}
              onClick={() => {
                run(async () => ({ wallet, accounts: await wallet.connect() }))
              }}
            >
              {`Connect ${wallet.name}`}
            </button>
          ))}
        </div>
      )}
      {failure !== null && (
        <p className="warn" role="alert">
          {failure}
        </p>
      )}
      {value !== null && account === undefined && (
        <p className="warn" role="alert">{`${value.wallet.name} has no account ${shortAddress(authority)}, which has to sign this. Choose one of its own, or export it.`}</p>
      )}
      {value !== null && account !== undefined && <Signing wallet={value.wallet} account={account} instructions={instructions} what={what} />}
    </div>
  )
}

function Shown({ simulated, contextOf }: { simulated: Simulated; contextOf: ActProps['contextOf'] }) {
  if (simulated.failure !== null) {
    return (
      <p className="warn" role="alert">
        <Icon name="cross" /> {`It would fail: ${simulated.failure}.`}
      </p>
    )
  }
  return (
    <div className="simulated" role="status">
      <p>
        <Icon name="check" /> {`It would pass now, with ${formatCount(simulated.units)} compute units. Its effect:`}
      </p>
      <Effects effects={simulated.effects} contextOf={contextOf} />
    </div>
  )
}

/** An act with its effect: simulated first, then signed with a wallet or taken along for a multisig. */
export function Act(props: ActProps) {
  return (
    <div className="act-steps">
      {/* A new id is another transaction: what was simulated of the last one is gone. */}
      <Steps key={`${props.id} ${props.authority}`} {...props} />
      <details className="take-along" open={env.isAlone}>
        <summary>Export for Squads, Realms or other tools</summary>
        <Exports instructions={props.instructions} authority={props.authority} />
      </details>
    </div>
  )
}

function Steps({ instructions, authority, contextOf, what }: ActProps) {
  const { value, failure, isRunning, run } = useWork<Simulated>()
  const passes = value?.failure === null
  return (
    <>
      <button
        type="button"
        className="button"
        disabled={isRunning}
        onClick={() => {
          run((signal) => simulate(instructions, authority, signal))
        }}
      >
        {isRunning ? 'Simulating' : 'Simulate'}
      </button>
      {failure !== null && (
        <p className="warn" role="alert">
          {failure}
        </p>
      )}
      {value !== null && <Shown simulated={value} contextOf={contextOf} />}
      {passes &&
        (env.isAlone ? (
          <p className="quiet">Without a keeper this page only reads. Export it to sign it elsewhere.</p>
        ) : (
          <Wallets authority={authority} instructions={instructions} what={what} />
        ))}
    </>
  )
}
