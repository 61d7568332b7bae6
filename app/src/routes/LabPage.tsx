import { LabResults } from '@/features/lab/components/LabResults'
import { useLab } from '@/features/lab/api/useLab'

/** What the lab found: runs with their tables. */
export function LabPage() {
  return (
    <div className="stack">
      <h1>Lab</h1>
      <LabResults {...useLab()} />
    </div>
  )
}
