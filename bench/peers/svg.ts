import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'

export type Chart = TopLevelSpec

/** Readable on white and on black. */
export const GREY = '#7f868f'
export const COLOURS = ['#e8590c', '#4c8dd6', '#37a06b', '#a678de', '#d29a1f', '#cf5b8a', '#3aa6b0']

/** What all charts have in common: nothing but data has a colour, and the page shows through. */
const LOOK: Chart['config'] = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  title: { color: GREY, subtitleColor: GREY },
  header: { labelColor: GREY, labelFontWeight: 'bold' },
  axis: {
    labelColor: GREY,
    titleColor: GREY,
    gridColor: GREY,
    gridOpacity: 0.25,
    tickColor: GREY,
    domainColor: GREY,
  },
  legend: { labelColor: GREY },
}

/** Draws a chart as SVG. */
export const svgOf = async (spec: Chart): Promise<string> => {
  const view = new View(parse(compile({ ...spec, config: LOOK }).spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return `${svg}\n`
}
