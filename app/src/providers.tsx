import { type ReactNode, createContext, use, useEffect, useMemo, useState } from 'react'

/** Which theme the reader chose. */
export type Theme = 'system' | 'light' | 'dark'

const THEMES: readonly Theme[] = ['system', 'light', 'dark']
const STORE = 'rampart.theme'

interface ThemeControl {
  theme: Theme
  setTheme: (theme: Theme) => void
}

const ThemeContext = createContext<ThemeControl>({ theme: 'system', setTheme: () => undefined })

/** Reads the stored choice; storage may be refused, then the system decides. */
function storedTheme(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(STORE)) ?? 'system'
  } catch {
    return 'system'
  }
}

function store(theme: Theme): void {
  try {
    localStorage.setItem(STORE, theme)
  } catch {
    // The choice then lasts for this visit.
  }
}

/** Gives the app its theme. */
export function Providers({ children }: { children: ReactNode }) {
  const [theme, setTheme] = useState(storedTheme)
  useEffect(() => {
    document.documentElement.dataset.theme = theme
    store(theme)
  }, [theme])
  const control = useMemo(() => ({ theme, setTheme }), [theme])
  return <ThemeContext value={control}>{children}</ThemeContext>
}

/** Returns the theme and how to change it. */
export function useTheme(): ThemeControl {
  return use(ThemeContext)
}
