import { Link } from '@/components/ui/Link'
import { LevelBadge } from '@/components/ui/level'
import type { Vault } from '@/lib/schema/view'

/** All vaults by name and level, to go from one to another. */
export function VaultPicker({ vaults, shown }: { vaults: readonly Vault[]; shown: string | null }) {
  return (
    <nav className="picker" aria-label="Vaults">
      <ul>
        {vaults.map((vault) => (
          <li key={vault.address}>
            <Link page="vaults" item={vault.address} className="picker-link" isCurrent={vault.address === shown}>
              {vault.name} <LevelBadge level={vault.level} />
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
