import { Icon } from '@/components/ui/Icon'
import { LevelBadge } from '@/components/ui/level'
import { Panel } from '@/components/ui/Panel'
import { nameOf } from '@/lib/names'
import { VERDICT_TEXT, groupsOf } from '@/lib/rule'
import type { RuleGroup, View } from '@/lib/schema/view'

function Group({ group, view }: { group: RuleGroup; view: View }) {
  return (
    <li>
      <div>
        <h3>{`Group ${group.id}`}</h3>
        <small>{group.is_in_force ? 'In force' : 'Trips while all its rules are true'}</small>
        <p>
          <LevelBadge level={group.level} /> <small>{nameOf(view, group.scope)}</small>
        </p>
      </div>
      <ul className="sources">
        {group.rules.map((address) => {
          const rule = view.rules.find((known) => known.address === address)
          const isTrue = rule?.verdict === 'true'
          return (
            <li key={address}>
              <span className="pass" data-state={isTrue ? 'closed' : 'open'}>
                <Icon name={isTrue ? 'bolt' : rule?.verdict === 'indeterminate' ? 'unknown' : 'check'} size={14} /> {nameOf(view, address)}
              </span>
              <span className="quiet">{rule === undefined ? 'not known' : VERDICT_TEXT[rule.verdict]}</span>
            </li>
          )
        })}
      </ul>
    </li>
  )
}

/** Rules that trip only together. Without groups there is nothing to show. */
export function RuleGroups({ view }: { view: View }) {
  const groups = groupsOf(view.rules)
  if (groups.length === 0) return null
  return (
    <Panel title="Groups" note="A group raises its level once all of its rules stand true at once.">
      <ul className="rule-sources">
        {groups.map((group) => (
          <Group key={group.address} group={group} view={view} />
        ))}
      </ul>
    </Panel>
  )
}
