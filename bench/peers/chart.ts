import { contenders } from './contenders/index.ts'
import type { Results } from './results.ts'
import { rowsOf } from './rows.ts'
import { type Chart, COLOURS, GREY, svgOf } from './svg.ts'

const HOSTS = { node: 'Node', object: 'Durable Object' } as const

/** Each workload's ratio to a raw socket, on a scale where the same distance is the same factor; as SVG. */
export const chartOf = async (results: Results): Promise<string> => {
  const rows = rowsOf(results).filter(
    ({ unit, host, title }) => unit === '×' && host && host in HOSTS && !title.includes('deflate'),
  )
  const values = rows.flatMap(({ title, host, values }) =>
    Object.entries(values)
      .filter(([name]) => name !== 'raw' && !name.includes(' '))
      .map(([contender, { median }]) => ({ title, host: HOSTS[host as 'node'], contender, ratio: median })),
  )
  // Who is drawn last lies on top.
  values.sort((a, b) => Number(a.contender === 'pairwire') - Number(b.contender === 'pairwire'))
  const targets = rows.map(({ title, host, target }) => ({ title, host: HOSTS[host as 'node'], target }))
  const names = contenders.map(({ name }) => name).filter((name) => values.some(({ contender }) => contender === name))
  const titles = [...new Set(rows.map(({ title }) => title))]
  const y = {
    field: 'title',
    type: 'nominal',
    sort: titles,
    axis: { title: null, labelLimit: 420, grid: true, domain: false, ticks: false },
  } as const
  const scale = { type: 'log' as const, domain: [0.1, 30], clamp: true }
  const spec: Chart = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: 'Calls, events and deliveries per second, as a multiple of a raw socket', anchor: 'start' },
    facet: { column: { field: 'host', type: 'nominal', sort: Object.values(HOSTS), header: { title: null } } },
    data: { values: [...values, ...targets] },
    spec: {
      width: 330,
      height: { step: 30 },
      layer: [
        {
          data: { values: [{ one: 1 }] },
          mark: { type: 'rule', color: GREY, strokeWidth: 1.5 },
          encoding: { x: { field: 'one', type: 'quantitative', scale } },
        },
        {
          transform: [{ filter: 'isValid(datum.target)' }],
          mark: { type: 'tick', color: GREY, thickness: 2, size: 20 },
          encoding: { y, x: { field: 'target', type: 'quantitative', scale } },
        },
        {
          transform: [{ filter: 'isValid(datum.ratio)' }],
          mark: { type: 'point', filled: true, opacity: 0.95 },
          encoding: {
            y,
            x: {
              field: 'ratio',
              type: 'quantitative',
              scale,
              axis: {
                title: '× raw (bars: the target)',
                values: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20],
                format: '~g',
                tickCount: 8,
              },
            },
            color: {
              field: 'contender',
              type: 'nominal',
              scale: { domain: names.filter((name) => name !== 'raw'), range: COLOURS },
              legend: { title: null, orient: 'bottom' },
            },
            size: { condition: { test: "datum.contender === 'pairwire'", value: 150 }, value: 55 },
            shape: {
              field: 'contender',
              type: 'nominal',
              scale: { domain: names.filter((name) => name !== 'raw') },
              legend: { title: null, orient: 'bottom' },
            },
          },
        },
      ],
    },
  }
  return svgOf(spec)
}
