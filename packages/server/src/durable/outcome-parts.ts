import type { LedgerOutcome } from '../ledger.ts'

/** What one row holds of an outcome; `kind` is null while the call runs, the others where the outcome has no such piece. */
export type OutcomePart = {
  readonly kind: LedgerOutcome['kind'] | null
  readonly json: string | null
  readonly marks: string | null
  readonly bytes: ArrayBuffer | null
}

// A row may take 2 MB (https://developers.cloudflare.com/durable-objects/platform/limits/), and a character three bytes.
const CHARACTERS = 150_000
const BYTES = 500_000

/** An outcome in pieces of which each fits in a row: of all but the largest that is one. */
export const splitOutcome = ({ kind, json, marks, bytes }: LedgerOutcome): OutcomePart[] => {
  const texts = [splitText(json), splitText(marks)]
  const blobs = bytes ? splitBytes(bytes) : []
  const length = Math.max(1, blobs.length, ...texts.map((text) => text.length))
  return Array.from({ length }, (_, i) => ({
    kind,
    json: texts[0]![i] ?? null,
    marks: texts[1]![i] ?? null,
    bytes: blobs[i] ?? null,
  }))
}

/** The outcome of a call from its rows, in their order; undefined where it has none. */
export const joinOutcome = (parts: readonly OutcomePart[]): LedgerOutcome | undefined => {
  const kind = parts[0]?.kind
  if (!kind) return undefined
  const blobs = parts.flatMap(({ bytes }) => (bytes ? [new Uint8Array(bytes)] : []))
  const json = parts.map((part) => part.json ?? '').join('')
  const marks = parts.map((part) => part.marks ?? '').join('')
  return blobs.length ? { kind, json, marks, bytes: joinBytes(blobs) } : { kind, json, marks }
}

/** A text in pieces that each fit in a row beside as many bytes as {@link splitBytes} gives. None of no text. */
export const splitText = (text: string): string[] => {
  const pieces: string[] = []
  for (let from = 0; from < text.length; ) {
    let to = from + CHARACTERS
    // Half of a character would be stored as another one.
    if (text.codePointAt(to - 1)! > 0xffff) to--
    pieces.push(text.slice(from, to))
    from = to
  }
  return pieces
}

/** One piece also of no bytes, which are not the same as none. */
export const splitBytes = (bytes: Uint8Array): ArrayBuffer[] => {
  const pieces: ArrayBuffer[] = []
  let from = 0
  do {
    pieces.push(new Uint8Array(bytes.subarray(from, from + BYTES)).buffer)
    from += BYTES
  } while (from < bytes.length)
  return pieces
}

export const joinBytes = (pieces: readonly Uint8Array[]): Uint8Array => {
  if (pieces.length === 1) return pieces[0]!
  const joined = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.length
  }
  return joined
}
