import { Icon } from '@/components/ui/Icon'
import { Link } from '@/components/ui/Link'

/** What a path without a page shows. */
export function Missing() {
  return (
    <section className="waiting">
      <Icon name="unknown" size={34} />
      <h1>There is no such page</h1>
      <p>
        <Link page="overview">Go to the overview</Link>
      </p>
    </section>
  )
}
