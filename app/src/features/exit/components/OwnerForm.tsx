import { isAddress } from '@solana/kit'
import { useId, useState } from 'react'
import { navigate, pathOf } from '@/lib/route'

/** Asks whose positions are meant. */
export function OwnerForm({ owner }: { owner: string | null }) {
  const [text, setText] = useState(owner ?? '')
  const [isRefused, setIsRefused] = useState(false)
  const id = useId()
  return (
    <form
      className="owner-form"
      onSubmit={(event) => {
        event.preventDefault()
        const isFine = isAddress(text)
        setIsRefused(!isFine)
        if (isFine) navigate(pathOf('exit', text))
      }}
    >
      <label htmlFor={id}>Your address</label>
      <div>
        <input
          id={id}
          value={text}
          spellCheck={false}
          autoComplete="off"
          aria-invalid={isRefused}
          aria-describedby={`${id}-why`}
          onChange={(event) => {
            setText(event.target.value.trim())
          }}
        />
        <button type="submit" className="button">
          Show
        </button>
      </div>
      <p id={`${id}-why`} className={isRefused ? 'warn' : 'quiet'} role={isRefused ? 'alert' : undefined}>
        {isRefused ? 'This isn’t an address.' : 'To look, no wallet is asked.'}
      </p>
    </form>
  )
}
