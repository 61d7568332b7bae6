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

/** This keeper's own health: data sources, coverage, balance. */
export function KeeperFacts({ keeper, nowTs }: { keeper: Keeper; nowTs: number }) {
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
          <dd className="number">{`${formatAmount(keeper.balance_lamports, SOL_DECIMALS, 4)} SOL`}</dd>
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
    </div>
  )
}
