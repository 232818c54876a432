/** Rows of text, in columns: the first one to the left, the rest to the right. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string | number>>): string => {
  const texts = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)))
  const widths = texts[0]!.map((_, at) => Math.max(...texts.map((row) => row[at]!.length)))
  const pad = (cell: string, at: number) => (at ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!))
  return texts.map((row) => row.map(pad).join('   ').trimEnd()).join('\n')
}
