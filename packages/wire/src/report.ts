/** A callback of the application threw: its author should see it, and nothing else should come of it. */
export const report = (error: unknown): void => {
  // biome-ignore lint/suspicious/noConsole: the one place that prints; there is nobody left to throw to
  console.error('pairwire:', error)
}
