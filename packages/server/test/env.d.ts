// What `cloudflare:workers` and `cloudflare:test` hand to *.workerd.test.ts: the exports of worker.ts and its bindings.
declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import('./worker.ts')
  }
  interface Env {
    readonly OBJECT: DurableObjectNamespace
    readonly BOARDS: DurableObjectNamespace<import('./board.ts').TestBoard>
    readonly SLEEPERS: DurableObjectNamespace<import('./sleeper.ts').Sleeper>
    readonly LOBBIES: DurableObjectNamespace<import('./lobby.ts').Lobby>
    readonly SUITES: DurableObjectNamespace<import('./suite-object.ts').SuiteObject>
    readonly PROBERS: DurableObjectNamespace<import('./prober.ts').Prober>
    readonly COURIERS: DurableObjectNamespace<import('./eviction/courier.ts').Courier>
    readonly DREAMERS: DurableObjectNamespace<import('./eviction/dreamer.ts').Dreamer>
    readonly ROOMS: DurableObjectNamespace<import('./room.ts').TestRoom>
  }
}
