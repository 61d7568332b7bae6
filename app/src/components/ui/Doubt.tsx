import { Icon } from '@/components/ui/Icon'
import { BadStatus, type Failure } from '@/lib/failure'

/** Says why a list can't be shown, or that it is being read. */
export function Reading({ what, failure }: { what: string; failure: Failure | null }) {
  if (failure === null) {
    return (
      <p className="reading" role="status">
        <Icon name="clock" /> Reading {what}
      </p>
    )
  }
  return (
    <p className="reading" data-bad="true" role="alert">
      <Icon name="cross" />
      <span>
        {`Can’t read ${what}. ${failure.message}`}
        {failure instanceof BadStatus && failure.status === 404 && ' The keeper may be older than this page.'}
        {' Trying again every few seconds.'}
      </span>
    </p>
  )
}

/** Says that what is shown is of the last answer that came. */
export function OldNews({ failure }: { failure: Failure | null }) {
  if (failure === null) return null
  return (
    <p className="reading" data-bad="true" role="status">
      <Icon name="clock" /> {`As of the last answer. ${failure.message}`}
    </p>
  )
}
