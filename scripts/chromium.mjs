// Finds a Chromium for tests and examples: the machine's own, or the one that comes from npm (Linux, x64).
import { execFileSync } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

const SYSTEM = [
  process.env.CHROME_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** No sandbox, because containers run as root; no background networking, because a closed network refuses it at length. */
export const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * What playwright's `launch` needs.
 * @returns {Promise<{ executablePath: string, args: string[], env: Record<string, string> }>}
 */
export async function chromium() {
  const system = SYSTEM.find((path) => path && runs(path))
  if (system) return { executablePath: system, args: chromiumArgs, env: { ...process.env } }
  const home = await unpacked()
  const executablePath = join(home, 'chromium')
  // A bare container lacks nss and expat; the package brings those of Amazon Linux, to be used only then.
  const env = { ...process.env }
  env.FONTCONFIG_FILE ??= fontConfig(home)
  if (lacksLibraries(executablePath)) env.LD_LIBRARY_PATH = join(home, 'al2023', 'lib')
  return { executablePath, args: chromiumArgs, env }
}

/** Unpacks once per installed version, aside and then in one rename: two runs at once must not see half a browser. */
async function unpacked() {
  const require = createRequire(import.meta.url)
  const entry = require.resolve('@sparticuz/chromium')
  const { version } = JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8'))
  const cache = resolve(import.meta.dirname, '../node_modules/.cache')
  const home = join(cache, `chromium-${version}`)
  if (existsSync(join(home, 'chromium'))) return home
  mkdirSync(cache, { recursive: true })
  const aside = mkdtempSync(join(cache, 'chromium-'))
  const { TMPDIR } = process.env
  try {
    process.env.TMPDIR = aside // where the package unpacks to; it asks on every call
    const { inflate } = await import('@sparticuz/chromium')
    const bin = join(dirname(entry), '..', 'bin')
    for (const archive of ['chromium.br', 'fonts.tar.br', 'swiftshader.tar.br', 'al2023.tar.br']) {
      await inflate(join(bin, archive))
    }
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  }
  try {
    renameSync(aside, home)
  } catch {
    rmSync(aside, { recursive: true, force: true }) // another run was first
  }
  return home
}

/** The package's own configuration names folders of AWS Lambda; without one that names ours no text is drawn. */
function fontConfig(home) {
  const file = join(home, 'fonts.conf')
  const dirs = [join(home, 'fonts', 'fonts'), join(home, 'fonts')].map((dir) => `<dir>${dir}</dir>`).join('')
  if (!existsSync(file))
    writeFileSync(
      file,
      `<?xml version="1.0"?><fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include>${dirs}<cachedir>${join(home, 'font-cache')}</cachedir></fontconfig>`,
    )
  return file
}

function runs(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function lacksLibraries(path) {
  try {
    return execFileSync('ldd', [path], { encoding: 'utf8' }).includes('not found')
  } catch {
    return true
  }
}
