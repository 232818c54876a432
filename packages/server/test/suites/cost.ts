import { expect, it } from 'vitest'
import { eventually, openClient, openRaw, type Place } from './place.ts'

/** What travels: how many frames, and how many characters. */
export const cost = (place: Place): void => {
  /** A place whose sockets keep what goes over them. */
  const watched = () => {
    const sent: unknown[] = []
    const received: unknown[] = []
    const watching: Place = {
      async connect(server) {
        const socket = await place.connect(server)
        const send = socket.send.bind(socket)
        Object.defineProperty(socket, 'send', {
          value(data: string) {
            sent.push(data)
            send(data)
          },
        })
        socket.addEventListener('message', (({ data }: { data: unknown }) => {
          received.push(data)
        }) as never)
        return socket
      },
    }
    return { sent, received, watching }
  }
  const open = async () => {
    const { sent, received, watching } = watched()
    const client = openClient(watching)
    await client.nothing()
    sent.length = received.length = 0
    return { client, sent, received }
  }

  // How many bytes that are is counted, with much else, in bench/guard.
  it('sends a call and its answer with nothing that could be left out', async () => {
    const { client, sent, received } = await open()
    expect(await client.add({ a: 1, b: 2 })).toBe(3)
    expect(sent).toEqual(['["add",3,{"a":1,"b":2}]'])
    expect(received).toEqual(['[7,3,3]'])
    // From then on no id could be an op.
    for (let id = 5; id < 33; id += 2) await client.nothing()
    sent.length = received.length = 0
    await Promise.all([client.add({ a: 1, b: 2 }), client.nothing()])
    expect([...sent, ...received]).toEqual(['["add",33,{"a":1,"b":2}]', '["nothing",35]', '[33,3]', '[35]'])
  })

  it('opens with hello alone, and sends the calls that waited in one frame when it is welcome', async () => {
    const { sent, watching } = watched()
    const client = openClient(watching)
    await Promise.all([client.nothing(), client.add({ a: 1, b: 2 })])
    expect(sent).toHaveLength(2)
    expect(JSON.parse(sent[0] as string)[0]).toBe(0)
    expect(JSON.parse(sent[1] as string).map(([path]: [string]) => path)).toEqual(['nothing', 'add'])
  })

  it('sends the first of the calls of one tick at once, and the others in one frame', async () => {
    const { client, sent, received } = await open()
    await Promise.all(Array.from({ length: 50 }, (_, a) => client.add({ a, b: 1 })))
    expect(
      sent.map((frame) => [JSON.parse(frame as string)].flat(2).filter((field) => field === 'add').length),
    ).toEqual([1, 49])
    expect(received.length).toBe(2)
  })

  it('sends the events of an async generator in few frames', async () => {
    const { client, received } = await open()
    let events = 0
    for await (const _ of client.count(1_000)) events++
    expect(events).toBe(1_000)
    expect(received.length).toBeLessThan(30)
  })

  it('sends a frame before it grows large', async () => {
    const { client, sent } = await open()
    await Promise.all(Array.from({ length: 50 }, () => client.echo('x'.repeat(1_000))))
    expect(sent.length).toBeGreaterThan(4)
    for (const frame of sent) expect((frame as string).length).toBeLessThan(40_000)
  })

  it('answers a batch of frames alone with a batch', async () => {
    const raw = await openRaw(place)
    await raw.until(([op]) => op === 1)
    const before = raw.frames.length
    raw.send([
      [2, 1, 'add', { a: 1, b: 2 }],
      [2, 3, 'add', { a: 2, b: 2 }],
      [2, 5, 'nope'],
    ])
    await eventually(
      () => raw.messages.length,
      (n) => n >= 4,
    )
    expect(raw.frames.slice(before)).toHaveLength(1)
    expect(raw.messages.slice(1).map(([op, id]) => [op, id])).toEqual([
      [7, 1],
      [7, 3],
      [8, 5],
    ])
  })
}
