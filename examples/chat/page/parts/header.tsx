import { type Theme, useTheme } from '../hooks/use-theme.ts'
import { Icon } from './icon.tsx'

const THEMES: Record<Theme, { icon: 'auto' | 'sun' | 'moon'; words: string }> = {
  '': { icon: 'auto', words: 'Colours: as the system' },
  light: { icon: 'sun', words: 'Colours: light' },
  dark: { icon: 'moon', words: 'Colours: dark' },
}

/** The room's name, and the doors to what a narrow page has no room for. */
export const Header = ({ room, here }: { room: string; here: number }) => {
  const [theme, next] = useTheme()
  const { icon, words } = THEMES[theme]
  return (
    <header className="header">
      <h1 id="room-name">{room}</h1>
      <p>{here === 1 ? 'only you' : `${here} people`}</p>
      <div className="tools">
        <button type="button" className="small" aria-label={words} title={words} onClick={next}>
          <Icon name={icon} />
        </button>
        <button type="button" className="small to-rooms" aria-label="Rooms and people" popoverTarget="rooms">
          <Icon name="people" />
        </button>
        <button type="button" className="small to-bench" aria-label="Pull the plug" popoverTarget="bench">
          <Icon name="plug" />
        </button>
      </div>
    </header>
  )
}
