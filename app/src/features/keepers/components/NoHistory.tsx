import { Empty } from '@/components/ui/Panel'
import { type Failure, NoKeeper } from '@/lib/failure'

/** Why there is nothing of the past: no keeper serves the page, told by `alone`, or this one keeps nothing. */
export function NoHistory({ failure, alone }: { failure: Failure | null; alone: string }) {
  return (
    <Empty>
      {failure instanceof NoKeeper ? alone : (
        <>
          This keeper keeps no history. <code>[history]</code> in its settings switches it on.
        </>
      )}
    </Empty>
  )
}
