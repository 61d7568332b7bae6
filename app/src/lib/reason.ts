/** The keeper's one-word reasons in plain words. */
const REASONS: Record<string, string> = {
  price: 'too few valid, fresh sources',
  disagreement: 'sources disagree',
  coverage: 'the window memory covers too little',
  reference: 'the reference is cold or too old',
  nothing: 'nothing to measure',
  unmeasured: 'not measured yet',
  account: 'its account can’t be read',
  missing: 'its account is missing',
  no_keeper: 'a keeper measures it, and none serves this page',
  unjudged: 'nobody judges the sources here',
  recorded_old: 'the last recorded price is too old',
  pinned_to_feed: 'its account isn’t known beforehand',
}

/** Returns a reason in plain words; one that this version doesn't know is spelled out. */
export function reasonText(reason: string): string {
  const spelled = reason.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll('_', ' ')
  return REASONS[reason] ?? spelled.charAt(0).toLowerCase() + spelled.slice(1)
}
