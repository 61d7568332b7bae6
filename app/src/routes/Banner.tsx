import type { ReactNode } from 'react'
import { Icon, type IconName } from '@/components/ui/Icon'
import type { Live } from '@/features/live/api/useLive'
import { formatCount } from '@/lib/amount'
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

const asOf = (view: View): string => `What you see is as of ${formatClock(view.chain.unix_ts)}, slot ${formatCount(view.chain.slot)}.`

function Doubt({ live, view }: { live: Live; view: View }) {
  const { failure } = live.link
  switch (live.health) {
    case 'stale':
      return (
        <Notice icon="clock" tone="watch">
          <strong>No update for more than 5 seconds.</strong> {asOf(view)}
        </Notice>
      )
    case 'disconnected':
      return (
        <Notice icon="cut" tone="alarm">
          <strong>The keeper can’t be reached.</strong> {asOf(view)} Trying again each second.
        </Notice>
      )
    case 'error':
      return (
        <Notice icon="cross" tone="alarm">
          <strong>{failure?.message}</strong> {asOf(view)}
          {failure instanceof BadShape && ' The app and the keeper may differ in version: reload the page.'}
        </Notice>
      )
    default:
      return null
  }
}

/** Says what is wrong with the data on screen, if anything is. */
export function Banner({ live }: { live: Live }) {
  const { view } = live.link
  if (view === null) return null
  const reasons = view.keeper.not_ready_reasons.map(reasonText).join('; ')
  return (
    <>
      <Doubt live={live} view={view} />
      {!view.keeper.ready && (
        <Notice icon="caution" tone="watch">
          <strong>This keeper isn’t ready{view.keeper.mode === 'act' ? ' to act' : ''}.</strong> {reasons}
        </Notice>
      )}
    </>
  )
}
