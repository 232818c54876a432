type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only if the value has exactly the expected type. */
export const expectType =
  <Expected>() =>
  <Actual>(_value: Actual, ..._check: Equal<Actual, Expected> extends true ? [] : ['another type']): void => {}
