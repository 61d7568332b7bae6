import { Link } from '@/components/ui/Link'
import { PAGES, type PageName } from '@/lib/route'

/** The way to every page. */
export function Nav({ page }: { page: PageName | null }) {
  return (
    <nav className="nav" aria-label="Pages">
      <ul>
        {PAGES.map((known) => (
          <li key={known.page}>
            <Link page={known.page} className="nav-link" isCurrent={known.page === page}>
              {known.title}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
