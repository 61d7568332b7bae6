import * as v from 'valibot'
import { Count } from '@/lib/schema/parts'

/** Bytes in base64. */
export const Base64 = v.pipe(
  v.string(),
  v.base64(),
  v.transform((text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))),
)

/** Accounts as they are on chain: answer of `/accounts` and `/positions`. */
export const RawAccounts = v.object({
  schema: v.literal(1),
  slot: Count,
  accounts: v.array(v.object({ address: v.string(), data: Base64 })),
})

/** Accounts as they are on chain. */
export type RawAccounts = v.InferOutput<typeof RawAccounts>
