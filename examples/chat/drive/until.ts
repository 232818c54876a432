/** Milliseconds that anything here may take. */
const PATIENCE = 10_000

/**
 * Asks until the answer is right.
 *
 * @throws Error with the last answer, where it never was
 */
export const until = async <T>(what: string, ask: () => Promise<T>, isRight: (answer: T) => boolean): Promise<T> => {
  const end = Date.now() + PATIENCE
  for (;;) {
    const answer = await ask()
    if (isRight(answer)) return answer
    if (Date.now() > end) throw new Error(`${what}: in the end it was ${JSON.stringify(answer)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
