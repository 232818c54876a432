import { type Frame, utf8Length } from './data.ts'
import { platform } from './platform.ts'

/** The longest close reason, in bytes of UTF-8 (RFC 6455, 5.5: a control frame carries 125, two of them the code). */
export const MAX_REASON_BYTES = 123

/** Codes of the protocol that never travel in a frame (RFC 6455, 7.4). */
const RESERVED: readonly number[] = [1004, 1005, 1006, 1015]

/** The code an endpoint sees when the frame carried none. */
export const NO_CODE = 1005

/**
 * Checks the arguments of `close`, in workerd's order and with its names and messages.
 *
 * @throws {TypeError} for a code that is no 32-bit number or a reason that is no string and cannot become one
 * @throws {DOMException} `InvalidAccessError` for a code outside 1000 to 4999 or reserved, and for a reason without a
 *   code; `SyntaxError` for a reason of more than 123 bytes
 */
export function toCloseFrame(code: unknown, reason: unknown): Frame & { kind: 'close' } {
  const number = code === undefined ? undefined : toInteger(code)
  const text = reason === undefined ? undefined : toText(reason)
  if (number !== undefined && (number < 1000 || number > 4999 || RESERVED.includes(number))) {
    throw new platform.DOMException(`Invalid WebSocket close code: ${number}.`, 'InvalidAccessError')
  }
  if (text !== undefined && utf8Length(text) > MAX_REASON_BYTES) {
    const message = `WebSocket close reason must not be longer than ${MAX_REASON_BYTES} bytes when UTF-8 encoded.`
    throw new platform.DOMException(message, 'SyntaxError')
  }
  if (text !== undefined && number === undefined) {
    const message = 'If you specify a WebSocket close reason, you must also specify a code.'
    throw new platform.DOMException(message, 'InvalidAccessError')
  }
  return { kind: 'close', code: number ?? NO_CODE, reason: text ?? '', size: 0 }
}

function toInteger(code: unknown): number {
  // unary plus and not Number(): it refuses a BigInt, as workerd does
  const number = Math.trunc(+(code as number))
  if (!Number.isFinite(number)) return 0
  if (number !== (number | 0)) {
    throw new TypeError('Value out of range. Must be between -2147483648 and 2147483647 (inclusive).')
  }
  return number | 0
}

/** Unlike in a message, a lone surrogate in a reason becomes one replacement character. */
function toText(reason: unknown): string {
  if (typeof reason === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string')
  return String(reason).replace(/\p{Surrogate}/gu, '\uFFFD')
}
