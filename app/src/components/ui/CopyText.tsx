import { useState } from 'react'
import { Icon } from '@/components/ui/Icon'

/** A long text to take along: shown in a box, copied by a press. */
export function CopyText({ label, text }: { label: string; text: string }) {
  const [isCopied, setIsCopied] = useState(false)
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => {
        setIsCopied(true)
      },
      () => {
        setIsCopied(false)
      },
    )
  }
  return (
    <div className="copy-text">
      <label>
        <span>{label}</span>
        <textarea readOnly rows={3} value={text} spellCheck={false} />
      </label>
      <button
        type="button"
        className="quiet-button"
        onClick={copy}
        onBlur={() => {
          setIsCopied(false)
        }}
      >
        <Icon name={isCopied ? 'check' : 'copy'} size={14} /> <span aria-live="polite">{isCopied ? 'Copied' : 'Copy'}</span>
      </button>
    </div>
  )
}
