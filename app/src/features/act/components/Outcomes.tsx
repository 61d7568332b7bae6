import { Address } from '@/components/ui/Address'
import { Icon } from '@/components/ui/Icon'
import { useOutcomes } from '@/features/act/api/outcomes'

/** What became of what was signed during this visit. */
export function Outcomes() {
  const outcomes = useOutcomes()
  return (
    <div role="status" className="outcomes">
      {outcomes.map(({ signature, failure, what }) => (
        <p key={signature} className="outcome" data-failed={failure !== null}>
          <Icon name={failure === null ? 'check' : 'cross'} /> {failure === null ? `${what}: it landed.` : `${what}: it failed. ${failure}`}
          <Address value={signature} label="signature" />
        </p>
      ))}
    </div>
  )
}
