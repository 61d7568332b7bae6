import { Countdown } from '@/components/ui/Countdown'
import { Icon, type IconName } from '@/components/ui/Icon'
import { Empty, Panel } from '@/components/ui/Panel'
import { type Moment, momentsOf } from '@/lib/moments'
import type { View } from '@/lib/schema/view'

const ICONS: Record<Moment['kind'], IconName> = { trip: 'bolt', step: 'step', expiry: 'clock' }

/** What happens next, soonest first, with countdowns. */
export function Next({ view, nowTs }: { view: View; nowTs: number }) {
  const moments = momentsOf(view, nowTs)
  return (
    <Panel title="Next">
      {moments.length === 0 ? (
        <Empty>Nothing is pending. A level rises when a rule proves true.</Empty>
      ) : (
        <ol className="next">
          {moments.map((moment) => (
            <li key={moment.key} data-kind={moment.kind}>
              <Icon name={ICONS[moment.kind]} />
              <div>
                <p>{moment.title}</p>
                <p className="quiet">{moment.detail}</p>
              </div>
              <Countdown ts={moment.ts} nowTs={nowTs} />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  )
}
