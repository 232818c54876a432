/** The time of day as clocks write it, with so many digits of a second's fraction. */
export const time = (at: Date, fractionalSecondDigits?: 3): string =>
  at.toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    ...(fractionalSecondDigits && { fractionalSecondDigits }),
  })
