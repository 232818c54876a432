import { type Connection, type Connections, connectionsOf } from '../src/durable/connections.ts'

export interface FakeConnection extends Connection {
  leave(): void
}

/** Who is connected to an object, where there is no object. */
export interface FakeConnections<Identity> {
  /** What the object would have as its own. */
  readonly ctx: DurableObjectState
  join(identity: Identity): FakeConnection
  leave(connection: FakeConnection): void
  change(connection: FakeConnection, identity: Identity): void
  /** Somebody turns out to have left while the object slept. */
  miss(identity: Identity): void
  /** What the next sweep does. */
  onSweep(sweep: () => void): void
}

export const fakeConnections = <Identity>(
  more: Pick<Connections, 'onError' | 'awake'> = {},
): FakeConnections<Identity> => {
  const all = new Set<FakeConnection>()
  const listeners: (() => void)[] = []
  const missing: ((connection: Connection) => void)[] = []
  const ctx = {} as DurableObjectState
  let sweep = () => {}
  const changed = () => {
    for (const listener of listeners) listener()
  }
  connectionsOf.set(ctx, {
    [Symbol.iterator]: () => all.values(),
    onChange: (listener) => listeners.push(listener),
    onMissed: (listener) => missing.push(listener),
    sweep: () => sweep(),
    ...more,
  })
  const leave = (connection: FakeConnection) => {
    if (all.delete(connection)) changed()
  }
  return {
    ctx,
    join(identity) {
      const connection: FakeConnection = { identity, leave: () => leave(connection) }
      all.add(connection)
      changed()
      return connection
    },
    leave,
    change(connection, identity) {
      Object.assign(connection, { identity })
      changed()
    },
    miss(identity) {
      for (const listener of missing) listener({ identity })
    },
    onSweep(next) {
      sweep = next
    },
  }
}
