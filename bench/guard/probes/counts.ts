import '../counters.ts'

const { count } = await import('../counters.ts')
const { workloads } = await import('../workloads.ts')
type Counts = import('../counters.ts').Counts

/** What each workload makes, per call, event or delivery. */
export const measure = async () => {
  const of: Record<string, Counts> = {}
  for (const [name, begin] of Object.entries(workloads)) {
    const { n, run } = await begin()
    await run()
    const counts = await count(run)
    for (const what of Object.keys(counts) as (keyof Counts)[]) counts[what] /= n
    of[name] = counts
  }
  const each = (what: keyof Counts) =>
    Object.fromEntries(Object.entries(of).map(([name, counts]) => [name, counts[what]]))
  const most = (what: keyof Counts) => Math.max(...Object.values(each(what)))
  return {
    promises: each('promises'),
    turns: each('turns'),
    stringify: each('stringified'),
    timers: each('timers'),
    'never made': {
      AbortController: most('controllers'),
      Error: most('errors'),
      'random number': most('random'),
    },
    parse: { 'a call, one after the other': of['a call, one after the other']!.parsed },
  }
}
