import { Icon } from '@/components/ui/Icon'
import { Panel } from '@/components/ui/Panel'
import { reasonText } from '@/lib/reason'
import { metricText } from '@/lib/rule'
import type { Asset, Rule, View } from '@/lib/schema/view'

const KINDS: Record<string, string> = { pyth: 'Pyth', switchboard: 'Switchboard' }

/** The assets whose sources a rule's verdict hangs on: its own, or those of its vault. */
function assetsOf(view: View, rule: Rule): Asset[] {
  const vault = view.vaults.find(({ address }) => address === rule.subject)
  const wanted = vault === undefined ? [rule.subject] : [vault.collateral_asset, vault.loan_asset]
  return view.assets.filter(({ address }) => wanted.includes(address))
}

function SourceState({ asset }: { asset: Asset }) {
  const { price } = asset
  const usable = price.sources.filter(({ state }) => state === 'ok').length
  const isEnough = price.state === 'agreed'
  const isUnjudged = price.state === 'recorded'
  const doubts = price.sources.filter(({ state }) => state !== 'ok')
  return (
    <li>
      <span className="pass" data-state={isEnough ? 'open' : isUnjudged ? 'limited' : 'closed'}>
        <Icon name={isEnough ? 'check' : isUnjudged ? 'unknown' : 'cross'} size={14} /> {asset.symbol}
      </span>
      <span className="quiet">
        {`${usable} of ${price.sources.length} usable, ${price.required} required`}
        {doubts.map(({ kind, state, reason }) => `; ${KINDS[kind] ?? kind} ${reason === null ? state : reasonText(reason)}`).join('')}
      </span>
    </li>
  )
}

/** What each rule is measured on: a rule without its sources proves nothing, and restricts new risk alone. */
export function RuleSources({ view }: { view: View }) {
  if (view.rules.length === 0) return null
  return (
    <Panel title="What the verdicts hang on" note="A rule whose sources are too few is unknown, which is neither true nor clear.">
      <ul className="rule-sources">
        {view.rules.map((rule) => (
          <li key={rule.address}>
            <div>
              <h3>{rule.name}</h3>
              <small>{metricText(rule.metric)}</small>
            </div>
            <ul className="sources">
              {assetsOf(view, rule).map((asset) => (
                <SourceState key={asset.address} asset={asset} />
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
