import * as v from 'valibot'
import { BadShape } from '@/lib/failure'

/** Parses untrusted input by a schema; throws `BadShape` with the first path that doesn't fit, and `who` sent it. */
export function parse<const S extends v.GenericSchema>(schema: S, input: unknown, who?: string): v.InferOutput<S> {
  const result = v.safeParse(schema, input, { abortEarly: true })
  if (result.success) return result.output
  const issue = result.issues[0]
  throw new BadShape(`${v.getDotPath(issue) ?? 'its top'} (${issue.message})`, who)
}
