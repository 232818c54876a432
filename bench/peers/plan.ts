import { parseArgs } from 'node:util'
import { cellsOf, QUICK, type Scale, takesPart } from './cells.ts'
import { type Contender, contenders, type Host, pairwireOf } from './contenders/index.ts'

const HOSTS: readonly Host[] = ['node', 'object', 'worker', 'hibernating']
/** How much time a run takes. */
interface Pace {
  rounds: number
  /** Milliseconds that rounds may take together: one that would not end within them is left out, but for the first two. */
  budget: number
  /** Milliseconds that may be spent waiting for quiet, in all and at once. */
  patience: number
  atOnce: number
  /** Connections that idle; ten times as many subscriptions. */
  idle: number
}

const SCALES: Record<'smoke' | 'quick' | 'full', Scale & Pace> = {
  smoke: {
    rounds: 1,
    ms: 30,
    events: 2_000,
    subscribers: 20,
    casts: 3,
    budget: 1e9,
    patience: 0,
    atOnce: 0,
    idle: 100,
  },
  quick: {
    rounds: 3,
    ms: 200,
    events: 100_000,
    subscribers: 500,
    casts: 30,
    budget: 300_000,
    patience: 30_000,
    atOnce: 1_000,
    idle: 1_000,
  },
  full: {
    rounds: 5,
    ms: 800,
    events: 100_000,
    subscribers: 500,
    casts: 200,
    budget: 1e9,
    patience: 3_600_000,
    atOnce: 60_000,
    idle: 1_000,
  },
}

/** What the command line asks for. */
export const planOf = (args: string[]) => {
  const { values } = parseArgs({
    args,
    options: {
      full: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      ms: { type: 'string' },
      patience: { type: 'string' },
      hosts: { type: 'string' },
      only: { type: 'string' },
      cells: { type: 'string' },
      also: { type: 'string', multiple: true, default: [] },
      out: { type: 'string' },
    },
  })
  const mode = values.full ? 'full' : 'quick'
  const scale = SCALES[values.smoke ? 'smoke' : mode]
  const list = (text: string | undefined) => text?.split(',')
  const wanted = { hosts: list(values.hosts), contenders: list(values.only), cells: list(values.cells) }
  const ms = Number(values.ms ?? scale.ms)
  const rounds = Number(values.rounds ?? scale.rounds)
  const takes = ({ name, quick }: Contender) =>
    wanted.contenders ? wanted.contenders.includes(name.replace(', ', '/')) : values.full || !!quick
  // `--also before=/path/of/checkout`
  const others = values.also.map((text) => {
    const [name = '', checkout = ''] = text.split('=')
    return pairwireOf(name, checkout)
  })
  const all = cellsOf({ ...scale, ms })
  const plan = {
    mode: mode as 'quick' | 'full',
    rounds,
    budget: scale.budget,
    patience: values.patience ? Number(values.patience) * 1_000 : scale.patience,
    atOnce: values.patience ? Number(values.patience) * 1_000 : scale.atOnce,
    idle: scale.idle,
    /** Part of a run: then nothing is measured but cells. */
    isPart: !!(values.hosts || values.only || values.cells || others.length),
    /** Where results go, if anywhere. */
    out: values.out,
    isSmoke: values.smoke,
    contenders: [...contenders.filter(takes), ...others],
    hosts: HOSTS.filter((host) => wanted.hosts?.includes(host) ?? true),
    cells(host: Host) {
      const quick = values.full ? undefined : QUICK[host]
      return all.filter(({ key, full, shared }) =>
        wanted.cells
          ? wanted.cells.includes(key)
          : (!full || values.full) && (!quick || quick.includes(key)) && !(shared && host === 'worker'),
      )
    },
    takesPart,
  }
  return plan
}

export type Plan = ReturnType<typeof planOf>
