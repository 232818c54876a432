import { type Chart, COLOURS, GREY, svgOf } from '../peers/svg.ts'
import { type Judged, LINEAR, type Panel } from './series.ts'

interface Titles {
  title: string
  x: string
  bytes?: boolean
}

export const PANELS: Record<Panel, Titles> = {
  calls: { title: 'A call', x: 'calls in flight' },
  events: { title: 'An event, until all have it', x: 'subscriptions' },
  wakes: { title: 'Waking a Durable Object', x: 'subscriptions' },
  encode: { title: 'Encoding a value', x: 'size of the message', bytes: true },
  decode: { title: 'Decoding a value', x: 'size of the message', bytes: true },
}

const WIDTH = 270
const HEIGHT = 190
/** Above each panel, for a line on each of its series. */
const LINE = 15
const power = (n: number) => n.toFixed(2).replace('-', '−')

/** The whole decades that values lie in. */
const decades = (values: readonly number[]): number[] => {
  const [low, high] = [
    Math.floor(Math.log10(Math.min(...values)) + 0.01),
    Math.ceil(Math.log10(Math.max(...values)) - 0.05),
  ]
  return Array.from({ length: high - low + 1 }, (_, i) => Number(`1e${low + i}`))
}

const panelOf = (panel: Panel, series: readonly Judged[], lines: number) => {
  const { title, x, bytes } = PANELS[panel]
  const points = series.flatMap(({ name, points }) =>
    points.map(({ n, cpu, wall }) => ({ name, n, cpu: cpu.median, wall: wall.median })),
  )
  const xs = decades(points.map(({ n }) => n))
  const ys = decades(points.flatMap(({ cpu, wall }) => [cpu, wall]))
  const [left, right, bottom, top] = [xs[0]!, Math.max(...points.map(({ n }) => n)), ys[0]!, ys.at(-1)!]
  // Work that grows linearly runs along these, wherever it begins.
  const guides: { guide: number; n: number; cost: number }[] = []
  for (let start = bottom / (right / left); LINEAR[panel] && start < top * 0.9; start *= 10)
    for (const n of [left, right]) guides.push({ guide: start, n, cost: start * (n / left) })
  const axis = (values: readonly number[], unit: string) => ({
    values,
    labelExpr: `replace(format(datum.value, '~s'), /(\\D?)$/, '${unit && ' '}$1${unit}')`,
    labelOverlap: 'greedy',
    domain: false,
    ticks: false,
    labelPadding: 6,
    labelFlush: false,
  })
  const across = {
    field: 'n',
    type: 'quantitative',
    scale: { type: 'log', domain: [left, right], nice: false },
  } as const
  const up = { type: 'quantitative', scale: { type: 'log', domain: [bottom, top], nice: false } } as const
  const color = {
    field: 'name',
    type: 'nominal',
    scale: { domain: series.map(({ name }) => name), range: COLOURS },
    legend: null,
  } as const
  const axes = {
    x: { ...across, axis: { ...axis(xs, bytes ? 'B' : ''), title: x, titleFontWeight: 'normal' } },
    y: { ...up, axis: { ...axis(ys, 's'), title: null } },
  }
  return {
    title: { text: title, anchor: 'start', frame: 'group', fontSize: 12, offset: 6 },
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        data: { values: guides },
        mark: { type: 'line', clip: true, color: GREY, strokeDash: [2, 4], strokeWidth: 1, opacity: 0.7 },
        encoding: {
          x: axes.x,
          y: { ...axes.y, field: 'cost' },
          detail: { field: 'guide', type: 'nominal' },
        },
      },
      {
        data: { values: points },
        mark: { type: 'line', strokeWidth: 1.5, opacity: 0.35, clip: true },
        encoding: { x: axes.x, y: { ...axes.y, field: 'wall' }, color },
      },
      {
        data: { values: points },
        mark: { type: 'line', strokeWidth: 2, point: { size: 28, filled: true } },
        encoding: { x: axes.x, y: { ...axes.y, field: 'cpu' }, color },
      },
      ...series.map(({ name, exponent: { all, end } }, i) => ({
        data: { values: [{ name, text: `${name}: n^${power(all)}, at the end n^${power(end)}` }] },
        mark: { type: 'text', align: 'left', baseline: 'top', fontSize: 11 },
        encoding: {
          x: { value: 0 },
          y: { value: LINE * (i - lines) - 2 },
          text: { field: 'text', type: 'nominal' },
          color,
        },
      })),
    ],
    resolve: { scale: { color: 'independent' } },
  }
}

/** Each panel with its series, as SVG. */
export const chartOf = (series: readonly Judged[]): Promise<string> => {
  const panels = (Object.keys(PANELS) as Panel[])
    .map((panel) => [panel, series.filter((one) => one.panel === panel)] as const)
    .filter(([, its]) => its.length)
  const lines = Math.max(...panels.map(([, its]) => its.length))
  return svgOf({
    title: {
      text: 'What it costs, the more there is of it',
      subtitle:
        'Strong lines: processor time of both ends. Pale: on the clock. Dashed: linear growth; of a call, that is a level line.',
      anchor: 'start',
      offset: 14,
    },
    columns: 3,
    bounds: 'flush',
    spacing: { column: 82, row: 64 + 24 + LINE * lines },
    concat: panels.map(([panel, its]) => panelOf(panel, its, lines)),
  } as unknown as Chart)
}
