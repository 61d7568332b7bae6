import type { ReactNode } from 'react'
import { Icon, type IconName } from '@/components/ui/Icon'
import type { Live } from '@/features/live/api/useLive'
import { formatCount } from '@/lib/amount'
import { env } from '@/config/env'
import type { Teller } from '@/config/given'
import { chainOf } from '@/lib/act/wallet'
import { BadShape } from '@/lib/failure'
import { reasonText } from '@/lib/reason'
import type { View } from '@/lib/schema/view'
import { formatClock } from '@/lib/time'

function Notice({ icon, tone, children }: { icon: IconName; tone: 'watch' | 'alarm'; children: ReactNode }) {
  return (
    <div className="banner" data-tone={tone} role={tone === 'alarm' ? 'alert' : 'status'}>
      <Icon name={icon} size={20} />
      <p>{children}</p>
    </div>
  )
}

const AGAIN = env.isAlone ? 'Trying again every few seconds.' : 'Trying again each second.'

const asOf = (view: View): string => `What you see is as of ${formatClock(view.chain.unix_ts)}, slot ${formatCount(view.chain.slot)}.`

function Doubt({ live, view }: { live: Live; view: View }) {
  const { failure } = live.link
  switch (live.health) {
    case 'stale':
      return (
        <Notice icon="clock" tone="watch">
          <strong>{`No update for more than ${env.staleMs / 1_000} seconds.`}</strong> {asOf(view)}
        </Notice>
      )
    case 'disconnected':
      return (
        <Notice icon="cut" tone="alarm">
          <strong>{env.isAlone ? 'The RPC endpoint can’t be reached.' : 'The keeper can’t be reached.'}</strong> {asOf(view)} {AGAIN}
        </Notice>
      )
    case 'error':
      return (
        <Notice icon="cross" tone="alarm">
          <strong>{failure?.message}</strong> {asOf(view)}
          {failure instanceof BadShape && ' The app and what it reads may differ in version: reload the page.'}
        </Notice>
      )
    default:
      return null
  }
}

const MISSING = [
  ['Whether sources agree', 'A price is the last one that the program wrote down, and each source is shown as it speaks. A keeper runs the program’s own judgement.'],
  ['Values and verdicts of rules', 'A keeper measures them. Thresholds, streaks and what is in force are on chain.'],
  ['Timeline and past', 'A keeper keeps what happened; the charts here go as far back as each asset’s own window.'],
  ['Interest since the last transaction', 'Debts and rates are as the last transaction left them.'],
  ['Signing', 'Nothing is signed here. What you prepare can be exported and read.'],
] as const

const TELLERS: Record<Teller, string> = { build: 'as the page was built', file: 'by the config.json beside the page', link: 'by the page’s own address' }

/** Which endpoint and guard are read, and who said so. */
function Where() {
  return (
    <p>
      {'Read from '}
      <code>{new URL(env.rpc).host}</code>
      {`, ${TELLERS[env.teller]}.`}
    </p>
  )
}

/** A link may name any endpoint: what is shown is only as true as that one is. */
export function Pointed() {
  const { isAlone, rpc, guard, teller } = env
  if (teller !== 'link' || !isAlone || guard === null) return null
  return (
    <Notice icon="caution" tone="watch">
      <strong>The link that was opened chose the endpoint and the guard.</strong> {'Endpoint '}
      <code className="whole">{rpc}</code>
      {', guard '}
      <code className="whole">{guard}</code>
      {'. An endpoint can show anything: compare both with what you know before you believe what you see. '}
      <a className="link" href={window.location.pathname}>
        Read by the page’s own settings
      </a>
    </Notice>
  )
}

/** Says that the endpoint isn't of the cluster that the settings name. */
export function Elsewhere({ genesis }: { genesis: string | null }) {
  if (env.cluster === null || genesis === null) return null
  const found = chainOf(genesis).replace('solana:', '')
  if (found === env.cluster) return null
  return (
    <Notice icon="cross" tone="alarm">
      <strong>{`The endpoint is of ${found}, and the settings say ${env.cluster}.`}</strong> What you see may be of another guard than is meant.
    </Notice>
  )
}

/** What a page without a keeper can't say, and why. */
function Alone() {
  return (
    <div className="banner alone" data-tone="watch" role="status">
      <Icon name="link" size={20} />
      <div>
        <p>
          <strong>No keeper serves this page: it reads accounts on chain, and only reads.</strong> Levels, causes, books, limits, positions, changes and
          reports are as they are stored.
        </p>
        <Where />
        <details>
          <summary>What is missing without a keeper</summary>
          <dl>
            {MISSING.map(([what, why]) => (
              <div key={what}>
                <dt>{what}</dt>
                <dd>{why}</dd>
              </div>
            ))}
          </dl>
        </details>
      </div>
    </div>
  )
}

/** Says what is wrong with the data on screen, if anything is. */
export function Banner({ live }: { live: Live }) {
  const { view } = live.link
  if (view === null) return null
  if (view.keeper === null) {
    return (
      <>
        <Doubt live={live} view={view} />
        <Alone />
      </>
    )
  }
  const { keeper } = view
  const reasons = keeper.not_ready_reasons.map(reasonText).join('; ')
  return (
    <>
      <Doubt live={live} view={view} />
      {!keeper.ready && (
        <Notice icon="caution" tone="watch">
          <strong>This keeper isn’t ready{keeper.mode === 'act' ? ' to act' : ''}.</strong> {reasons}
        </Notice>
      )}
    </>
  )
}
