import { Address } from '@/components/ui/Address'
import { Icon } from '@/components/ui/Icon'
import { Empty, Panel } from '@/components/ui/Panel'
import { KeeperFacts } from '@/features/keepers/components/KeeperFacts'
import { formatCount } from '@/lib/amount'
import type { Keeper, Peer, Transactions, View } from '@/lib/schema/view'

interface Row {
  name: string
  where: string
  isUp: boolean
  isReady: boolean
  slot: number | null
  transactions: Transactions | null
}

const rowsOf = (keeper: Keeper, peers: readonly Peer[]): Row[] => [
  {
    name: keeper.name,
    where: 'this keeper',
    isUp: true,
    isReady: keeper.ready,
    slot: keeper.slot,
    transactions: keeper.transactions,
  },
  ...peers.map((peer) => ({
    name: peer.name,
    where: peer.url.replace(/^https?:\/\//, ''),
    isUp: peer.up,
    isReady: peer.ready,
    // A keeper that never answered is listed with slot 0.
    slot: peer.slot === 0 ? null : peer.slot,
    transactions: peer.transactions,
  })),
]

function Liveness({ row }: { row: Row }) {
  const state = !row.isUp ? 'closed' : row.isReady ? 'open' : 'limited'
  const icon = !row.isUp ? 'cross' : row.isReady ? 'check' : 'partial'
  return (
    <span className="pass" data-state={state}>
      <Icon name={icon} size={15} />
      {!row.isUp ? 'Down' : row.isReady ? 'Ready' : 'Up, not ready'}
    </span>
  )
}

/** Slot, with the distance to the newest that anybody reports. */
function SlotCell({ row, newest }: { row: Row; newest: number }) {
  if (row.slot === null) return <>–</>
  const behind = newest - row.slot
  return (
    <>
      {formatCount(row.slot)}
      <small>{behind > 0 ? `${formatCount(behind)} behind` : 'newest'}</small>
    </>
  )
}

const COLUMNS = ['sent', 'landed', 'lost_race', 'failed', 'expired', 'unknown'] as const
const NAMES: Record<(typeof COLUMNS)[number], string> = {
  sent: 'Sent',
  landed: 'Landed',
  lost_race: 'Lost race',
  failed: 'Failed',
  expired: 'Expired',
  unknown: 'Unknown',
}

function KeeperRow({ row, newest }: { row: Row; newest: number }) {
  return (
    <tr>
      <th scope="row">
        {row.name}
        <small>{row.where}</small>
      </th>
      <td data-label="State">
        <Liveness row={row} />
      </td>
      <td className="number" data-label="Slot">
        <SlotCell row={row} newest={newest} />
      </td>
      {COLUMNS.map((column) => (
        <td className="number" data-label={NAMES[column]} key={column}>
          {row.transactions === null ? '–' : formatCount(row.transactions[column])}
        </td>
      ))}
    </tr>
  )
}

function NoKeeper() {
  return (
    <Panel title="Keepers">
      <Empty>
        No keeper serves this page, so nobody tells whether keepers live, which slot they see, or what became of their transactions. What they put on
        chain is on the page about keepers: the set, and each member’s reports.
      </Empty>
    </Panel>
  )
}

/** This keeper and its peers: liveness, slots and what became of their transactions. */
export function Keepers({ view, nowTs, hasBudgets = false }: { view: View; nowTs: number; hasBudgets?: boolean }) {
  return view.keeper === null ? <NoKeeper /> : <Known keeper={view.keeper} peers={view.peers} nowTs={nowTs} hasBudgets={hasBudgets} />
}

function Known({ keeper, peers, nowTs, hasBudgets }: { keeper: Keeper; peers: readonly Peer[]; nowTs: number; hasBudgets: boolean }) {
  const rows = rowsOf(keeper, peers)
  const newest = Math.max(...rows.map(({ slot }) => slot ?? 0))
  return (
    <Panel title="Keepers" actions={<Address value={keeper.signer} label="signer of this keeper" />}>
      <div className="scroll" tabIndex={0} role="group" aria-label="Keepers">
        <table className="keepers stacks">
          <thead>
            <tr>
              <th scope="col">Keeper</th>
              <th scope="col">State</th>
              <th scope="col" className="number">
                Slot
              </th>
              {COLUMNS.map((column) => (
                <th scope="col" className="number" key={column}>
                  {NAMES[column]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <KeeperRow key={`${row.name}:${row.where}`} row={row} newest={newest} />
            ))}
          </tbody>
        </table>
      </div>
      <KeeperFacts keeper={keeper} nowTs={nowTs} hasBudgets={hasBudgets} />
    </Panel>
  )
}
