/** Of the values of several rounds, the one in the middle and the outermost. */
export interface Spread {
  median: number
  low: number
  high: number
  n: number
}

export const spreadOf = (values: readonly number[]): Spread | undefined => {
  if (!values.length) return undefined
  const sorted = [...values].sort((a, b) => a - b)
  const { length } = sorted
  return {
    median: (sorted[(length - 1) >> 1]! + sorted[length >> 1]!) / 2,
    low: sorted[0]!,
    high: sorted[length - 1]!,
    n: length,
  }
}
