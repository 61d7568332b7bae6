import { Icon, type IconName } from '@/components/ui/Icon'
import { Empty, Panel } from '@/components/ui/Panel'
import { ACTIONS, ACTION_TEXT, type Conditions, type Possible as State, gate, passWord, possible } from '@/lib/gate'
import { LEVELS, levelText } from '@/lib/level'
import type { Vault, View } from '@/lib/schema/view'

const ICONS: Record<State['state'], IconName> = { open: 'check', limited: 'partial', closed: 'cross' }

function conditionsOf(view: View, vault: Vault): Conditions {
  const pair = view.assets.filter(({ address }) => address === vault.collateral_asset || address === vault.loan_asset)
  return {
    isPriceAgreed: vault.price.state === 'agreed',
    isPriceJudged: view.keeper !== null,
    agreeing: pair.length === 0 ? 0 : Math.min(...pair.map(({ price }) => price.agreeing)),
    exitFloorBps: vault.exit_floor_bps,
  }
}

function Cell({ state }: { state: State }) {
  return (
    <td>
      <span className="pass" data-state={state.state}>
        <Icon name={ICONS[state.state]} size={15} />
        <span>
          {state.word}
          {state.note !== null && <small>{state.note}</small>}
        </span>
      </span>
    </td>
  )
}

function NowTable({ view }: { view: View }) {
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Actions by vault">
      <table className="possible">
        <thead>
          <tr>
            <th scope="col">Action</th>
            {view.vaults.map((vault) => (
              <th scope="col" key={vault.address}>
                {vault.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ACTIONS.map((action) => (
            <tr key={action}>
              <th scope="row">
                {ACTION_TEXT[action].name}
                <small>{ACTION_TEXT[action].covers}</small>
              </th>
              {view.vaults.map((vault) => (
                <Cell key={vault.address} state={possible(action, vault, conditionsOf(view, vault))} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function AllLevels({ view }: { view: View }) {
  const inForce = new Set(view.vaults.map(({ level }) => level))
  return (
    <details className="all-levels">
      <summary>What each level allows</summary>
      <div className="scroll" tabIndex={0} role="group" aria-label="Actions by level">
        <table>
          <thead>
            <tr>
              <th scope="col">Action</th>
              {LEVELS.map((level) => (
                <th scope="col" key={level} data-now={inForce.has(level)}>
                  {levelText(level).name}
                  {inForce.has(level) && <small>in force</small>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {ACTIONS.map((action) => (
              <tr key={action}>
                <th scope="row">{ACTION_TEXT[action].name}</th>
                {LEVELS.map((level) => (
                  <td key={level} data-now={inForce.has(level)} data-pass={gate(action, level).kind}>
                    {passWord(gate(action, level))}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}

/** What users can do now, vault by vault, and what each level allows. */
export function Possible({ view }: { view: View }) {
  return (
    <Panel title="Possible now">
      {view.vaults.length === 0 ? <Empty>This guard has no vaults yet.</Empty> : <NowTable view={view} />}
      <AllLevels view={view} />
    </Panel>
  )
}
