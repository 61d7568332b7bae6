import { Icon } from '@/components/ui/Icon'
import { formatAmount, formatCount } from '@/lib/amount'
import { type Judging, libraryNote, libraryText, modelText } from '@/lib/judging'
import type { Keeper } from '@/lib/schema/view'
import { formatSpan } from '@/lib/time'

const SOL_DECIMALS = 9

function SourceRow({ source }: { source: Keeper['sources'][number] }) {
  const silence = source.silent_ms === null ? '' : `silent for ${(source.silent_ms / 1_000).toFixed(1)} s`
  const again = source.reconnects > 0 ? `, ${formatCount(source.reconnects)} reconnects` : ''
  return (
    <li>
      <span className="pass" data-state={source.up ? 'open' : 'closed'}>
        <Icon name={source.up ? 'check' : 'cross'} size={14} />
        {source.name}
      </span>
      <span className="quiet">{`${source.kind}, ${source.up ? 'up' : 'down'}, ${silence}${again}`}</span>
    </li>
  )
}

function coverageText({ coverage }: Keeper): string {
  const share = (Math.floor(coverage.verified_ratio * 1_000) / 10).toString()
  const oldest = coverage.oldest_secs === null ? '' : `, oldest check ${formatSpan(coverage.oldest_secs)} ago`
  return `${share} % of ${formatCount(coverage.positions)} positions re-checked${oldest}`
}

/** What each class may still spend of this hour. Trips are never refused. */
function Budgets({ keeper }: { keeper: Keeper }) {
  const sol = (lamports: bigint) => formatAmount(lamports, SOL_DECIMALS, 6)
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Fees of the last hour">
      <table className="stacks">
        <caption>Fees of the last hour, SOL</caption>
        <thead>
          <tr>
            <th scope="col">Class</th>
            <th scope="col" className="number">
              Spent
            </th>
            <th scope="col" className="number">
              Left this hour
            </th>
          </tr>
        </thead>
        <tbody>
          {keeper.budgets.map((budget) => (
            <tr key={budget.class}>
              <th scope="row">{budget.class.replaceAll('_', ' ')}</th>
              <td className="number" data-label="Spent">
                {sol(budget.own_lamports)}
              </td>
              <td className="number" data-label="Left this hour">
                {budget.left_lamports === null || budget.allowance_lamports === null ? 'never refused' : `${sol(budget.left_lamports)} of ${sol(budget.allowance_lamports)}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="note">An allowance is shared by its classes; half of it is kept from the least urgent ones.</p>
    </div>
  )
}

/** The model and the policy in shadow, by version and hash. */
function JudgedBy({ score }: { score: Judging }) {
  return (
    <>
      <div>
        <dt>Crash model</dt>
        <dd>{modelText(score)}</dd>
      </div>
      <div>
        <dt>Learned policy</dt>
        <dd>
          {libraryText(score)}
          <small className={score.library.state === 'refused' ? 'warn' : ''}>{libraryNote(score)}</small>
        </dd>
      </div>
    </>
  )
}

/** This keeper's own health: data sources, coverage, balance, and where there is room for it what it may spend. */
export function KeeperFacts({ keeper, nowTs, hasBudgets }: { keeper: Keeper; nowTs: number; hasBudgets: boolean }) {
  return (
    <div className="keeper-facts">
      <ul className="sources" aria-label="Data sources of this keeper">
        {keeper.sources.map((source) => (
          <SourceRow key={source.name} source={source} />
        ))}
      </ul>
      <dl className="pairs">
        <div>
          <dt>Coverage</dt>
          <dd>
            {coverageText(keeper)}
            <small className={keeper.coverage.mismatches > 0 ? 'warn' : ''}>
              {keeper.coverage.mismatches === 0 ? 'no mismatch' : `${formatCount(keeper.coverage.mismatches)} mismatches`}
            </small>
          </dd>
        </div>
        <div>
          <dt>Balance</dt>
          <dd className="number">
            {`${formatAmount(keeper.balance_lamports, SOL_DECIMALS, 4)} SOL`}
            {keeper.kept_for_trips_lamports !== null && <small>{`${formatAmount(keeper.kept_for_trips_lamports, SOL_DECIMALS, 4)} SOL of it kept for trips`}</small>}
          </dd>
        </div>
        <div>
          <dt>Running</dt>
          <dd>{`${formatSpan(nowTs - keeper.started_at_ts)}, version ${keeper.version}`}</dd>
        </div>
        <div>
          <dt>Slot time</dt>
          <dd className="number">{`${Math.round(keeper.slot_ms)} ms`}</dd>
        </div>
        {keeper.score !== undefined && <JudgedBy score={keeper.score} />}
      </dl>
      {hasBudgets && keeper.budgets.length > 0 && <Budgets keeper={keeper} />}
    </div>
  )
}
