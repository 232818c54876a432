import {
  type Codec,
  compose,
  createRichCodec,
  DEPTH,
  type Frame,
  parseFrame,
  RESULT,
  richTypes,
} from '../../packages/wire/src/index.ts'
import { grow, type Pace, type Sample, type Series, sizesTo } from './series.ts'

/** Bytes on the wire of each, about. */
const PLAIN = 110
const RICH = 185

const plain = (i: number) => ({
  id: 100_000 + i,
  sku: `SKU-${(i * 7_919) % 10_007}`,
  title: `Item number ${i}`,
  price: 19.99 + i,
  active: i % 2 === 0,
  tags: ['red', 'large'],
})
const rich = (i: number) => ({
  id: BigInt(100_000 + i),
  at: new Date(1_700_000_000_000 + i * 86_400_000),
  attributes: new Map<string, string | number>([['weight', i * 1.5]]),
  tags: new Set(['red', 'large']),
})

const VALUES: Record<string, (size: number) => unknown> = {
  'plain JSON': (size) => Array.from({ length: Math.ceil(size / PLAIN) }, (_, i) => plain(i)),
  'dates, maps, sets': (size) => Array.from({ length: Math.ceil(size / RICH) }, (_, i) => rich(i)),
  bytes: (size) => Uint8Array.from({ length: size }, (_, i) => (i * 31) & 255),
}

/** A value as a frame with an answer, and back. */
const codecs = (codec: Codec) => ({
  encode(value: unknown): Frame {
    const encoded = codec.encode(value)
    const text = compose(`${RESULT},1`, encoded)
    return encoded.bytes?.length ? codec.join!(text, encoded.bytes) : text
  },
  decode(frame: Frame): unknown {
    // As sockets bring it.
    const data = typeof frame === 'string' ? frame : frame.buffer
    const { messages, bytes } = parseFrame(data, { message: Number.POSITIVE_INFINITY }, codec)
    const [, , json, marks] = messages[0]!
    return codec.decode(json, marks, bytes)
  },
})

/** Of one time, so often that it took so many milliseconds. */
const sample = (work: () => unknown, ms: number): Sample => {
  const before = process.cpuUsage()
  const began = performance.now()
  let count = 0
  do {
    work()
    count++
  } while (performance.now() - began < ms)
  const wall = (performance.now() - began) / 1_000 / count
  const { user, system } = process.cpuUsage(before)
  return { cpu: (user + system) / 1e6 / count, wall }
}

/** What each end does with a value beside sending it: in this process, without a socket. */
export const measurePayloads = async (pace: Pace): Promise<Series[]> => {
  const { encode, decode } = codecs(createRichCodec(DEPTH, richTypes))
  const sizes = sizesTo(10_000_000, pace, 100)
  const ms = pace.ms / 5
  const series: Series[] = []
  for (const [name, valueOf] of Object.entries(VALUES)) {
    const values = new Map(sizes.map((size) => [size, valueOf(size)]))
    const frames = new Map(sizes.map((size) => [size, encode(values.get(size))]))
    const measure = (panel: 'encode' | 'decode', work: (size: number) => unknown) => {
      for (const size of sizes) sample(() => work(size), ms)
      return grow(pace, sizes, (size) => sample(() => work(size), ms)).then((points) =>
        series.push({
          panel,
          name,
          // What it is on the wire, and not what was aimed at.
          points: points.map((point) => ({ ...point, n: frames.get(point.n)!.length })),
        }),
      )
    }
    await measure('encode', (size) => encode(values.get(size)))
    await measure('decode', (size) => decode(frames.get(size)!))
  }
  return series
}
