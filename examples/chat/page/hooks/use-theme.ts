import { useState } from 'react'

const THEMES = ['', 'light', 'dark'] as const
/** Empty: as the system has it. */
export type Theme = (typeof THEMES)[number]

/** The colours, and a function that goes to the next ones. `index.html` sets them first. */
export const useTheme = (): [theme: Theme, next: () => void] => {
  const [theme, setTheme] = useState<Theme>(() => THEMES.find((theme) => theme === localStorage.theme) ?? '')
  const next = () => {
    const chosen = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!
    if (chosen) localStorage.theme = chosen
    else localStorage.removeItem('theme')
    document.documentElement.style.colorScheme = chosen
    setTheme(chosen)
  }
  return [theme, next]
}
