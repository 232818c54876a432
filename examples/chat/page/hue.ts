const HUES = 6

/** One of the colours of `styles/tokens.css`, always the same for one person. */
export const hue = (id: string): string => {
  let sum = 0
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0
  return `var(--hue-${sum % HUES})`
}
