import { Icon } from '@/components/ui/Icon'
import { Panel } from '@/components/ui/Panel'
import type { Rule as StoredRule } from '@/generated'
import type { Held } from '@/lib/accounts'
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

/** Metrics that hang on no price. Source: `Metric::has_price`. */
const COUNTED: readonly string[] = ['outflow_rate', 'inflow_rate', 'utilisation', 'reserve_cover', 'vault_shortfall', 'supply_growth']
const REPORTED: readonly string[] = ['keeper_median', 'keeper_silence', 'keeper_spread']

/** What a rule that hangs on no price is measured on; null for one that does. */
function withoutPrice({ metric }: Rule): string | null {
  if (COUNTED.includes(metric)) return 'Measured on what the program counts itself: no price decides.'
  return REPORTED.includes(metric) ? 'Measured on what keepers report: no price decides.' : null
}

/** What a subject is that is neither an asset nor a vault. */
function otherSubject(view: View, { subject }: Rule): string {
  if (subject === view.guard.address) return 'About the guard as a whole, which has no price of its own.'
  if (subject === view.reserve?.address) return 'About the reserve, which has no price of its own.'
  return 'About an account that is no asset and no vault of this page, such as an integration: it has no price of its own here.'
}

interface StateProps {
  asset: Asset
  /** How many sources have to agree for this rule; null while that isn't read. */
  own: number | null
}

function SourceState({ asset, own }: StateProps) {
  const { price } = asset
  const usable = price.sources.filter(({ state }) => state === 'ok').length
  const isUnjudged = price.state === 'recorded'
  // an asset's price may be agreed on fewer sources than the rule asks for
  const isEnough = price.state === 'agreed' && (own === null || price.agreeing >= own)
  const doubts = price.sources.filter(({ state }) => state !== 'ok')
  const asked = own === null ? `${price.required} required` : `the rule asks for ${own}, the asset’s price for ${price.required}`
  return (
    <li>
      <span className="pass" data-state={isEnough ? 'open' : isUnjudged ? 'limited' : 'closed'}>
        <Icon name={isEnough ? 'check' : isUnjudged ? 'unknown' : 'cross'} size={14} /> {asset.symbol}
      </span>
      <span className="quiet">
        {`${usable} of ${price.sources.length} usable${isUnjudged ? '' : `, ${price.agreeing} agree`}; ${asked}`}
        {doubts.map(({ kind, state, reason }) => `; ${KINDS[kind] ?? kind} ${reason === null ? state : reasonText(reason)}`).join('')}
      </span>
    </li>
  )
}

function Basis({ rule, view, own }: { rule: Rule; view: View; own: number | null }) {
  const why = withoutPrice(rule)
  const assets = assetsOf(view, rule)
  if (why !== null) return <p className="quiet">{why}</p>
  if (assets.length === 0) return <p className="quiet">{otherSubject(view, rule)}</p>
  return (
    <ul className="sources">
      {assets.map((asset) => (
        <SourceState key={asset.address} asset={asset} own={own} />
      ))}
    </ul>
  )
}

interface RuleSourcesProps {
  view: View
  /** The rules' accounts: how many sources each asks for is told by no keeper; null until they were read. */
  rules: readonly Held<StoredRule>[] | null
}

/** What each rule is measured on: a rule without its sources proves nothing, and restricts new risk alone. */
export function RuleSources({ view, rules }: RuleSourcesProps) {
  if (view.rules.length === 0) return null
  const ownOf = (address: string) => rules?.find((held) => held.address === address)?.value.params.sourcesRequired ?? null
  return (
    <Panel title="What the verdicts hang on" note="A rule whose sources are too few is unknown, which is neither true nor clear.">
      <ul className="rule-sources">
        {view.rules.map((rule) => (
          <li key={rule.address}>
            <div>
              <h3>{rule.name}</h3>
              <small>{metricText(rule.metric)}</small>
            </div>
            <Basis rule={rule} view={view} own={ownOf(rule.address)} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}
