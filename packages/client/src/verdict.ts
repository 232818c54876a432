/** What a close code asks of the client. */
export const STOP = 0
export const BACK_OFF = 1
/** Connect again at once, spread over a short time. */
export const NOW = 2
/** Connect again once, with fresh `params`. */
export const REFRESH = 3

/** The verdict stands in the code's hundred, so that an old client obeys a new code. docs/PROTOCOL.md, section 11. */
export const verdictOn = (code: number): number => {
  if (/^10(00|02|03|07|08|15)|^40/.test(`${code}`)) return STOP
  return code < 4_200 || code > 4_399 ? BACK_OFF : code < 4_300 ? NOW : REFRESH
}
