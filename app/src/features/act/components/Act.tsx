import type { Instruction } from '@solana/kit'
import { CopyText } from '@/components/ui/CopyText'
import { Icon } from '@/components/ui/Icon'
import { env } from '@/config/env'
import { noteOutcome } from '@/features/act/api/outcomes'
import { type Sent, signAndSend } from '@/features/act/api/transact'
import { useTrial } from '@/features/act/api/useTrial'
import { useWallets } from '@/features/act/api/useWallets'
import { type Work, useWork } from '@/features/act/api/useWork'
import { Effects } from '@/features/act/components/Effects'
import { type Trial, exportNote, maySign } from '@/lib/act/trial'
import type { Wallet, WalletAccount } from '@/lib/act/wallet'
import { formatCount } from '@/lib/amount'
import { jsonInstruction, realmsInstruction, squadsMessage } from '@/lib/exported'
import type { FieldContext } from '@/lib/field'
import { shortAddress } from '@/lib/names'

interface ActProps {
  /** What is done, in a word or two. */
  what: string
  /** What is to be done, in order. Built anew at each render: their own accounts and bytes tell whether they are still the same. */
  instructions: readonly Instruction[]
  /** Who signs and pays. */
  authority: string
  /** How fields of an account are spelled. */
  contextOf: (address: string) => FieldContext
}

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

/** A wallet that gave its accounts. */
interface Connected {
  wallet: Wallet
  accounts: readonly WalletAccount[]
}

interface SigningProps {
  wallet: Wallet
  account: WalletAccount
  signing: Work<Sent>
  /** Whether what would be signed was simulated just now, and passed. */
  isFresh: boolean
  onSign: (wallet: Wallet, account: WalletAccount) => void
}

function Signing({ wallet, account, signing: { value, failure, isRunning }, isFresh, onSign }: SigningProps) {
  return (
    <>
      <button
        type="button"
        className="button primary"
        disabled={isRunning || value !== null || !isFresh}
        onClick={() => {
          onSign(wallet, account)
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

type WalletsProps = Pick<ActProps, 'authority'> & Omit<SigningProps, 'wallet' | 'account'> & { connection: Work<Connected> }

function Wallets({ authority, connection: { value, failure, isRunning, run }, ...signing }: WalletsProps) {
  const wallets = useWallets()
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
      {value !== null && account !== undefined && <Signing wallet={value.wallet} account={account} {...signing} />}
    </div>
  )
}

function Shown({ trial, contextOf }: { trial: Trial; contextOf: ActProps['contextOf'] }) {
  switch (trial.state) {
    case 'untried':
    case 'running':
      return null
    case 'moved':
      return (
        <p className="warn" role="status">
          What is to be done has changed since it was simulated. Simulate it again.
        </p>
      )
    case 'unknown':
      return (
        <p className="warn" role="alert">
          {trial.why}
        </p>
      )
    case 'fails':
      return (
        <p className="warn" role="alert">
          <Icon name="cross" /> {trial.isOld ? `It would have failed more than a minute ago: ${trial.why}. Simulate it again.` : `It would fail: ${trial.why}.`}
        </p>
      )
    case 'passes':
      return (
        <div className="simulated" role="status">
          {trial.isOld ? (
            <p className="warn">
              <Icon name="clock" /> It would have passed more than a minute ago. Simulate it again before you sign. Its effect then:
            </p>
          ) : (
            <p>
              <Icon name="check" /> {`It would pass now, with ${formatCount(trial.units)} compute units. Its effect:`}
            </p>
          )}
          <Effects effects={trial.effects} contextOf={contextOf} />
        </div>
      )
  }
}

/** An act with its effect: simulated first, then signed with a wallet or taken along for a multisig. */
export function Act({ what, instructions, authority, contextOf }: ActProps) {
  const tried = useTrial(instructions, authority)
  const { trial } = tried
  const note = exportNote(trial)
  const connection = useWork<Connected>()
  const signing = useWork<Sent>()
  const hasSigned = signing.isRunning || signing.failure !== null || signing.value !== null
  const sign = (wallet: Wallet, account: WalletAccount) => {
    const simulated = tried.toSign()
    if (simulated === null) return
    signing.run(async (signal) => {
      const sent = await signAndSend(simulated, wallet, account, signal)
      noteOutcome({ ...sent, what })
      return sent
    })
  }
  return (
    <div className="act-steps">
      <button
        type="button"
        className="button"
        disabled={trial.state === 'running' || signing.isRunning}
        onClick={() => {
          signing.reset()
          tried.run()
        }}
      >
        {trial.state === 'running' ? 'Simulating' : trial.state === 'untried' ? 'Simulate' : 'Simulate again'}
      </button>
      <Shown trial={trial} contextOf={contextOf} />
      {(trial.state === 'passes' || hasSigned) &&
        (env.isAlone ? (
          <p className="quiet">Without a keeper this page only reads. Export it to sign it elsewhere.</p>
        ) : (
          <Wallets authority={authority} connection={connection} signing={signing} isFresh={maySign(trial)} onSign={sign} />
        ))}
      <details className="take-along" open={env.isAlone}>
        <summary>Export for Squads, Realms or other tools</summary>
        <p className={note.isWarning ? 'warn' : 'quiet'}>{note.text}</p>
        <Exports instructions={instructions} authority={authority} />
      </details>
    </div>
  )
}
