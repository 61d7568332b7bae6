import { useId, useMemo, useState } from 'react'
import { Address } from '@/components/ui/Address'
import { OldNews, Reading } from '@/components/ui/Doubt'
import { Empty } from '@/components/ui/Panel'
import { formatAmount, formatBps, formatCount } from '@/lib/amount'
import type { Row } from '@/lib/chain/positions'
import type { Failure } from '@/lib/failure'
import { ZONE_TEXT } from '@/lib/histogram'
import { type Listed, ORDERS, type Order, coarse, listed, ordered, searched, windowOf } from '@/lib/positions'
import { formatDecimal } from '@/lib/price'
import type { Vault } from '@/lib/schema/view'

interface PositionsProps {
  vault: Vault
  /** Growth of debt, U64.64; null until the vault's account was read. */
  index: bigint | null
  /** Positions; null until they were read, `rows` null where nobody lists them. */
  answer: { rows: readonly Row[] | null } | null
  failure: Failure | null
  loan: string
  collateral: string
}

const [ROW_PX, BOX_PX] = [40, 480]

function Line({ position, place, vault }: { position: Listed; place: number; vault: Vault }) {
  return (
    <div role="row" aria-rowindex={place + 2} className="position-row" data-zone={position.zone ?? 'unknown'} style={{ insetBlockStart: `${place * ROW_PX}px` }}>
      <span role="cell" className="number">
        {position.collateral === 0n ? 'no collateral' : position.ltvBps === null ? 'unknown' : formatBps(position.ltvBps)}
      </span>
      <span role="cell">{position.zone === null ? 'no price' : ZONE_TEXT[position.zone]}</span>
      <span role="cell">
        <Address value={position.owner} label="owner" />
      </span>
      <span role="cell" className="number">
        {formatAmount(position.debt, vault.loan_decimals)}
      </span>
      <span role="cell" className="number">
        {formatAmount(position.collateral, vault.collateral_decimals, 4)}
      </span>
      <span role="cell" className="number">
        {position.liquidatedAt === null ? '–' : formatDecimal(position.liquidatedAt)}
      </span>
    </div>
  )
}

/** A long table of which only what is seen is drawn. */
function LongTable({ positions, order, vault, loan, collateral }: { positions: readonly Listed[]; order: Order } & Pick<PositionsProps, 'vault' | 'loan' | 'collateral'>) {
  const [scrolled, setScrolled] = useState(0)
  const { first, end } = windowOf(scrolled, BOX_PX, ROW_PX, positions.length)
  const heads = ['Loan to value', 'Zone', 'Owner', `Debt, ${loan}`, `Collateral, ${collateral}`, `Liquidated at, ${loan}`]
  return (
    <div
      className="positions-box"
      tabIndex={0}
      role="group"
      aria-label="Positions with debt"
      style={{ maxBlockSize: `${BOX_PX}px` }}
      onScroll={(event) => {
        setScrolled(event.currentTarget.scrollTop)
      }}
    >
      <div role="table" aria-label={`Positions with debt, ${ORDERS[order]}`} aria-rowcount={positions.length + 1} className="positions-table">
        <div role="rowgroup" className="positions-head">
          <div role="row" aria-rowindex={1} className="position-row">
            {heads.map((head, index) => (
              <span role="columnheader" key={head} className={index === 0 || index > 2 ? 'number' : undefined}>
                {head}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" className="positions-rows" style={{ blockSize: `${positions.length * ROW_PX}px` }}>
          {positions.slice(first, end).map((position, index) => (
            <Line key={position.address} position={position} place={first + index} vault={vault} />
          ))}
        </div>
      </div>
    </div>
  )
}

function Found({ all, ...props }: { all: readonly Listed[] } & Pick<PositionsProps, 'vault' | 'loan' | 'collateral'>) {
  const [text, setText] = useState('')
  const [order, setOrder] = useState<Order>('near')
  const id = useId()
  const inOrder = useMemo(() => ordered(all, order), [all, order])
  const shown = searched(inOrder, text)
  return (
    <div className="positions">
      <div className="positions-search">
        <label htmlFor={id}>Search by owner or position</label>
        <input
          id={id}
          value={text}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => {
            setText(event.target.value)
          }}
        />
        <label htmlFor={`${id}-order`}>Order</label>
        <select
          id={`${id}-order`}
          value={order}
          onChange={(event) => {
            setOrder((Object.keys(ORDERS) as Order[]).find((key) => key === event.target.value) ?? 'near')
          }}
        >
          {Object.entries(ORDERS).map(([key, name]) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
        <span className="quiet number" role="status">
          {text === '' ? `${formatCount(all.length)} with debt` : `${formatCount(shown.length)} of ${formatCount(all.length)}`}
        </span>
      </div>
      {shown.length === 0 ? <Empty>No position with debt has such an address.</Empty> : <LongTable key={order} positions={shown} order={order} {...props} />}
    </div>
  )
}

/** Every position that owes something, by how near it is to liquidation. */
export function Positions({ vault, index, answer, failure, loan, collateral }: PositionsProps) {
  const rows = answer?.rows ?? null
  const shown = index === null ? null : coarse(index)
  // `vault` is new with each state: what the list hangs on is named by itself
  const { loan_decimals, collateral_decimals } = vault
  const { state, hi } = vault.price
  const { ltv_bps, soft_line_bps, liquidation_line_bps } = vault.lines
  const all = useMemo(
    () =>
      rows === null || shown === null
        ? null
        : listed(rows, shown, { price: { state, hi }, lines: { ltv_bps, soft_line_bps, liquidation_line_bps }, loan_decimals, collateral_decimals }),
    [rows, shown, state, hi, ltv_bps, soft_line_bps, liquidation_line_bps, loan_decimals, collateral_decimals],
  )
  if (answer !== null && rows === null) {
    return <Empty>The keeper that serves this page passes nothing on to the chain (its setting <code>http.relay</code>), and tells positions by their owner alone: look one up on the exit page.</Empty>
  }
  if (all === null) return <Reading what="the positions" failure={failure} />
  return (
    <>
      <OldNews failure={failure} />
      {all.length === 0 ? <Empty>Nobody has a debt here.</Empty> : <Found all={all} vault={vault} loan={loan} collateral={collateral} />}
    </>
  )
}
