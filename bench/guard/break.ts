// Ways to break what the guard guards, each by what stands in front of one module's export. Nothing is written anywhere: the
// loader is given another source, which imports the real one.
import { registerHooks } from 'node:module'
import type { BuildOptions } from 'esbuild'

export interface Break {
  /** What somebody might have done. */
  readonly what: string
  /** Below packages/. */
  readonly module: string
  /** Replaces exports; what is not replaced is passed on. `real` is the module as it is. */
  readonly code: string
}

/** Something that comes with each call that a server runs, with each event that it sends, and with each connection. */
const atServer = (what: string, each: string, connection = ''): Break => ({
  what,
  module: 'wire/src/answers.ts',
  code: `
    let sink
    const each = () => { ${each} }
    export const createAnswers = (options) => {
      const { callee } = options
      const run = (...args) => {
        each()
        const result = callee.run(...args)
        if (!result?.[Symbol.asyncIterator]) return result
        const events = result[Symbol.asyncIterator]()
        for (const name of ['next', 'poll', '~poll']) {
          const real = events[name]
          if (!real) continue
          events[name] = function (...args) {
            const event = real.apply(this, args)
            if (event !== undefined) each()
            return event
          }
        }
        events.kept = ${connection ? 'new Array(64).fill(0)' : '0'}
        return events
      }
      const proxy = new Proxy(callee, {
        get(_, name) {
          if (name === 'run') return run
          const value = callee[name]
          return typeof value === 'function' ? value.bind(callee) : value
        },
      })
      const answers = real.createAnswers({ ...options, callee: proxy })
      ${connection}
      return answers
    }`,
})

const codec = (what: string, code: string): Break => ({
  what,
  module: 'wire/src/rich-codec.ts',
  code: `
    export const createRichCodec = (depth, types) => {
      const codec = real.createRichCodec(depth, types)
      const { encode, decode } = codec
      ${code}
      return codec
    }`,
})

const outbox = (what: string, code: string): Break => ({
  what,
  module: 'wire/src/outbox.ts',
  code: `
    const turn = Promise.resolve()
    ${code}`,
})

export const BREAKS = {
  'a longer message': outbox(
    'a space behind each message',
    `export const createOutbox = (...args) => {
      const outbox = real.createOutbox(...args)
      const { push } = outbox
      outbox.push = (message, bytes) => push.call(outbox, message + ' ', bytes)
      return outbox
    }`,
  ),
  'frames of one message': outbox(
    'an outbox that sends each message at once',
    `export const createOutbox = (...args) => {
      const outbox = real.createOutbox(...args)
      const { push } = outbox
      outbox.push = (...message) => { push.apply(outbox, message); outbox.flush() }
      return outbox
    }`,
  ),
  'a frame more': outbox(
    'a sign of life behind each frame',
    `export const createOutbox = (send, ...more) =>
      real.createOutbox((...frame) => { send(...frame); send('[12]') }, ...more)`,
  ),
  'no quiet': outbox(
    'an outbox that waits for one microtask only',
    `export const createQuiet = () => real.createQuiet((leave) => turn.then(leave))
    export const createOutbox = (send, quiet = createQuiet()) => real.createOutbox(send, quiet)`,
  ),
  'a longer wait': outbox(
    'an outbox that waits for 40 turns',
    `const later = async (leave) => { for (let i = 0; i < 40; i++) await turn; leave() }
    export const createQuiet = () => real.createQuiet(later)
    export const createOutbox = (send, quiet = createQuiet()) => real.createOutbox(send, quiet)`,
  ),
  'a promise for each': atServer(
    'two promises and an await for each call and event',
    '(async () => { await null; await null })()',
  ),
  'a timer for each': atServer('a timer for each call and event', 'clearTimeout(setTimeout(() => {}, 1e6))'),
  'a controller for each': atServer('an AbortController for each call', 'new AbortController()'),
  'an error for each': atServer('an Error for each call, for its stack', 'new Error()'),
  'a random id for each': atServer('a random id for each call', 'crypto.getRandomValues(new Uint8Array(8))'),
  'a kilobyte for each': atServer('a kilobyte of garbage for each call and event', 'sink = new Array(128).fill(0)'),
  'a kilobyte kept': atServer(
    'an array kept for each connection and subscription',
    '',
    'answers.kept = new Array(256).fill(0)',
  ),
  'a timer for each call at the client': {
    what: 'each call has a timer of its own',
    module: 'wire/src/call.ts',
    code: `export class Call extends real.Call {
      constructor(...args) {
        super(...args)
        clearTimeout(setTimeout(() => {}, 1e6))
      }
    }
    // It may have a getter there.
    delete Call.prototype.constructor`,
  },
  'encoded twice': codec(
    'what is sent is encoded twice',
    'codec.encode = (value) => { encode(value); return encode(value) }',
  ),
  'parsed twice': {
    what: 'each frame is parsed twice',
    module: 'wire/src/frame.ts',
    code: 'export const parseFrame = (...args) => { real.parseFrame(...args); return real.parseFrame(...args) }',
  },
  'always walked': codec(
    'plain data is walked as rich data is, before it is written',
    `const walk = (value) => {
      types.flatten(value, '')
      if (value && typeof value === 'object') for (const key in value) walk(value[key])
    }
    codec.encode = (value) => { walk(value); return encode(value) }`,
  ),
  'revived twice': {
    what: 'a rich value is made twice',
    module: 'wire/src/rich-codec.ts',
    code: `export const createRichCodec = (depth, types) =>
      real.createRichCodec(depth, { ...types, revive: (...args) => { types.revive(...args); return types.revive(...args) } })`,
  },
  'an event for each reader': {
    what: 'each reader of a topic is given an object of its own',
    module: 'server/src/memory-log.ts',
    code: `
      import { tracked } from '@pairwire/contract'
      export class MemoryLog extends real.MemoryLog {
        read(offset) {
          const event = super.read(offset)
          return event && tracked(event.id, event.data)
        }
      }`,
  },
  'asked twice': {
    what: 'each frame asks once more what waits in the socket',
    module: 'server/src/host.ts',
    code: `export const createHost = (...args) => {
      const host = real.createHost(...args)
      const { accept } = host
      host.accept = (socket, ...more) => {
        const { send } = socket
        socket.send = (frame) => { void socket.bufferedAmount; send.call(socket, frame) }
        return accept(socket, ...more)
      }
      return host
    }`,
  },
} satisfies Record<string, Break>
export type BreakName = keyof typeof BREAKS

const sourceOf = ({ code }: Break, real: string) => `import * as real from '${real}'\nexport * from '${real}'\n${code}`

/** From now on this process loads a module with what stands in front of it. */
export const breakIt = (name: string): void => {
  const broken = BREAKS[name as BreakName]
  registerHooks({
    load(url, context, next) {
      if (!url.endsWith(`/packages/${broken.module}`)) return next(url, context)
      return { format: 'module', source: sourceOf(broken, `${url}?real`), shortCircuit: true }
    },
  })
}

/** The same for what a bundler makes. */
export const breakBundle = (name: string | undefined): BuildOptions['plugins'] => {
  if (!name) return undefined
  const broken = BREAKS[name as BreakName]
  return [
    {
      name: 'break',
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /\?real$/ }, ({ path }) => ({ path: path.slice(0, -'?real'.length), suffix: '?real' }))
        onLoad({ filter: /\.ts$/ }, ({ path, suffix }) => {
          if (suffix || !path.endsWith(`/packages/${broken.module}`)) return undefined
          return {
            contents: sourceOf(broken, `${path}?real`),
            loader: 'js',
            resolveDir: path.slice(0, path.lastIndexOf('/')),
          }
        })
      },
    },
  ]
}
