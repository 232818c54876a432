import { WEIGHT } from '@pairwire/wire'
import type { KeptResults } from '../results.ts'
import type { Piece } from './shelf.ts'

/** What is written of a session's results beside the results themselves. */
export interface WrittenResults {
  readonly epoch: string
  readonly forgotten: number
  /** Of calls whose end nobody will ever know. */
  readonly lost: readonly number[]
}

/** Reads results that were written down: not known to have been sent. */
export const keepResults = (
  { epoch, forgotten, lost }: WrittenResults,
  pieces: Iterable<readonly [id: number, piece: Piece]>,
): KeptResults => {
  const kept: [
    number,
    { answer: { text: string; bytes: Uint8Array[] | undefined; weight: number }; line: undefined },
  ][] = []
  for (const [id, { text, bytes }] of pieces) {
    const answer = { text, bytes: bytes && [bytes], weight: WEIGHT + text.length + (bytes?.length ?? 0) }
    kept.push([id, { answer, line: undefined }])
  }
  return { epoch, forgotten, lost: new Set(lost), kept: new Map(kept.sort(([a], [b]) => a - b)) }
}
