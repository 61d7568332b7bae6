import { useState } from 'react'
import { Icon } from '@/components/ui/Icon'

const short = (address: string): string =>
  address.length > 12 ? `${address.slice(0, 4)}…${address.slice(-4)}` : address

/** A shortened address; a press copies the whole. */
export function Address({ value, label }: { value: string; label: string }) {
  const [isCopied, setIsCopied] = useState(false)
  const copy = () => {
    navigator.clipboard.writeText(value).then(
      () => {
        setIsCopied(true)
      },
      () => {
        setIsCopied(false)
      },
    )
  }
  return (
    <button
      type="button"
      className="address"
      title={value}
      aria-label={`${isCopied ? 'Copied' : short(value)}, copy the ${label}`}
      onClick={copy}
      onBlur={() => {
        setIsCopied(false)
      }}
    >
      <code>{isCopied ? 'Copied' : short(value)}</code>
      <Icon name={isCopied ? 'check' : 'copy'} size={13} />
    </button>
  )
}
