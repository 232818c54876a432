/**
 * How often each object was made since this code was loaded. It lies beside the objects, so it can be asked without waking
 * one, and outlives them.
 */
const lives = new Map<string, number>()

export const live = (name: string | undefined): void => {
  lives.set(name ?? '', (lives.get(name ?? '') ?? 0) + 1)
}

export const livesOf = (name: string): number => lives.get(name) ?? 0
