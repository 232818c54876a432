import { type Frame, toData } from './data.ts'
import { closeEvent, errorEvent, messageEvent } from './events.ts'
import { Line } from './line.ts'
import { report } from './report.ts'
import { schedule } from './schedule.ts'
import type { SocketEvent } from './socket-event.ts'
import type { Told } from './target.ts'

const NOT_ACCEPTED =
  'You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages.'

/**
 * One end of the conversation: what has been closed, by whom, and what follows from it.
 *
 * The socket above it checks arguments and knows listeners; the two lines below it carry frames.
 */
export class End {
  /** How the socket hears of an event. */
  tell: (event: SocketEvent) => Told = () => ({ heard: false, thrown: undefined })
  binaryType: 'blob' | 'arraybuffer' = 'blob'

  readonly #in: Line = new Line((frame) => this.#receive(frame))
  // set by `pair`, before anybody else sees the end
  #peer: End = this
  #accepted = false
  #halfOpen = false
  #closedIn = false
  #closedOut = false
  /** The peer was waiting when our close frame left. */
  #closedDirectly = false
  /** The handshake is over for this end. */
  #done = false
  /** What we send is of no use any more, and ignored. */
  #aborted = false
  #failed = false

  static pair(): [End, End] {
    const [one, two] = [new End(), new End()]
    one.#peer = two
    two.#peer = one
    return [one, two]
  }

  get readyState(): 0 | 1 | 2 | 3 {
    if (this.#failed || (this.#closedIn && this.#closedOut)) return 3
    return this.#closedIn || this.#closedOut ? 2 : 1
  }

  get bufferedAmount(): number {
    return this.#out.bytes
  }

  accept(halfOpen: boolean): void {
    if (this.#accepted) return
    this.#accepted = true
    this.#halfOpen = halfOpen
    this.#in.read()
  }

  send(frame: Frame): void {
    if (this.#closedOut) throw new TypeError("Can't call WebSocket send() after close().")
    if (this.#aborted) return
    if (!this.#accepted) throw new TypeError(NOT_ACCEPTED)
    this.#out.push(frame)
  }

  close(frame: Frame): void {
    if (this.#closedOut || this.#aborted) return
    if (!this.#accepted) throw new TypeError(NOT_ACCEPTED)
    this.#closedOut = true
    this.#closedDirectly = this.#out.push(frame)
  }

  get #out(): Line {
    return this.#peer.#in
  }

  #receive(frame: Frame): void {
    if (frame.kind === 'close') this.#receiveClose(frame)
    else if (frame.kind === 'lost') this.#receiveLoss()
    else {
      const { thrown } = this.tell(messageEvent(toData(frame, this.binaryType)))
      if (thrown !== undefined) this.#giveUp(thrown.error)
    }
  }

  #receiveClose(frame: Frame & { kind: 'close' }): void {
    const answered = this.#closedOut
    this.#closedIn = true
    // before the listeners hear of it, so that they see the final readyState
    if (!this.#halfOpen) this.close(frame)
    const { thrown } = this.tell(closeEvent(frame.code, frame.reason, true))
    if (thrown !== undefined) report(thrown.error)
    if (answered && this.#out.drained) this.#letGo()
  }

  /** The peer failed. The state changes after the event, as it does when a connection breaks. */
  #receiveLoss(): void {
    if (this.#closedIn) return
    const reason = 'WebSocket disconnected without sending Close frame.'
    const { thrown } = this.tell(closeEvent(1006, reason, false))
    this.#closedIn = true
    if (thrown !== undefined) report(thrown.error)
  }

  /**
   * Both close frames have passed: the handshake is over for this end. In workerd it lets go of the connection at
   * once, and a peer whose own close frame was only just taken is told that the connection was lost.
   */
  #letGo(): void {
    this.#done = true
    const peer = this.#peer
    if (peer.#closedDirectly && !peer.#done) schedule(() => peer.#fail(connectionLost()))
  }

  /** A listener for messages threw: in workerd that is the end of the connection. */
  #giveUp(thrown: unknown): void {
    this.#in.stop()
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    schedule(() => {
      this.#closedIn = true
      this.#fail(error)
      this.#peer.#lose()
    })
  }

  /** The other end is gone: what was still on its way to it never arrives, what it sent before still does. */
  #lose(): void {
    if (!this.#out.empty) schedule(() => this.#fail(connectionLost()))
    this.#out.clear()
    this.#aborted = true
    this.#in.push({ kind: 'lost', size: 0 })
  }

  /** A socket fails once; later errors are of no interest any more. */
  #fail(error: Error): void {
    if (this.#failed) return
    this.#failed = true
    const { heard, thrown } = this.tell(errorEvent(error))
    this.#aborted = true
    if (!heard && !('retryable' in error)) report(error)
    if (thrown !== undefined) report(thrown.error)
  }
}

/** `retryable` is workerd's mark of errors that come from the connection and not from the code. */
function connectionLost(): Error {
  return Object.assign(new Error('Network connection lost.'), { retryable: true })
}
