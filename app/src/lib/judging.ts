import { formatBps, formatCount } from '@/lib/amount'
import type { Keeper } from '@/lib/schema/view'

/** What a keeper judges by. */
export type Judging = NonNullable<Keeper['score']>

/** Formats a probability or a loss: 0.0234 is "2.34 %". Rounds up: a danger that there is isn't shown as none. */
export function formatRisk(share: number): string {
  // a product of decimals lies beside its own last digit
  return formatBps(Math.ceil(share * 10_000 - 1e-9))
}

const shortHash = (hash: string): string => hash.slice(0, 12)

/** The crash model by version and hash. */
export function modelText({ model }: Judging): string {
  return model === null ? 'none' : `version ${model.version}, ${shortHash(model.hash)}`
}

/** The policy that decides in shadow, by version and hash, or why none does. */
export function libraryText({ library }: Judging): string {
  const chosen = library.policies.find(({ is_chosen }) => is_chosen)
  if (chosen !== undefined) return `${chosen.name} version ${chosen.version}, ${shortHash(chosen.hash)}`
  return library.reason ?? 'none'
}

/** What the policy in shadow amounts to: rules drive, whatever it decides. */
export function libraryNote({ library }: Judging): string {
  if (library.state === 'refused') return 'The library is refused. Rules drive.'
  if (library.state === 'off') return 'Rules drive.'
  const decided = `${formatCount(library.differing)} of ${formatCount(library.decisions)} decisions other than the rules’`
  return `In shadow, 1 of ${formatCount(library.policies.length)}, ${decided}. Rules drive.`
}
