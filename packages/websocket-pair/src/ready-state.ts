/** The phases of a socket, under both names that workerd gives each of them. */
export interface ReadyStates {
  readonly READY_STATE_CONNECTING: 0
  readonly CONNECTING: 0
  readonly READY_STATE_OPEN: 1
  readonly OPEN: 1
  readonly READY_STATE_CLOSING: 2
  readonly CLOSING: 2
  readonly READY_STATE_CLOSED: 3
  readonly CLOSED: 3
}

const READY_STATES: ReadyStates = {
  READY_STATE_CONNECTING: 0,
  CONNECTING: 0,
  READY_STATE_OPEN: 1,
  OPEN: 1,
  READY_STATE_CLOSING: 2,
  CLOSING: 2,
  READY_STATE_CLOSED: 3,
  CLOSED: 3,
}

/** Puts the constants on a class and on its instances, read-only and enumerable as in workerd. */
export function defineReadyStates(socketClass: { readonly prototype: object }): void {
  for (const [name, value] of Object.entries(READY_STATES)) {
    const constant = { value, enumerable: true, configurable: true, writable: false }
    Object.defineProperty(socketClass, name, constant)
    Object.defineProperty(socketClass.prototype, name, constant)
  }
}
