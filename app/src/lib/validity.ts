import type { Guard } from '@/generated'

/** How long what is prepared may wait for its signatures: it is refused afterwards. */
const VALID_SECS = 3 * 86_400

/** Under which roles, and until when, what is prepared now may be signed. */
export const validityOf = ({ authorityEpoch }: Guard, nowTs: number): { authorityEpoch: bigint; expiresAtTs: bigint } => ({ authorityEpoch, expiresAtTs: BigInt(nowTs + VALID_SECS) })
