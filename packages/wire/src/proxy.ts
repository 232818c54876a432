/** Names that JavaScript itself asks an object for. defineContract refuses them, so none can be a procedure. */
const RESERVED = /^(then|to(JSON|String)|valueOf)$/

/**
 * A client's surface: property access makes a path, a call makes a call. Each step is made once and kept, and so is its path,
 * as it stands in JSON.
 *
 * @param connection what stands at the root as `$connection`
 */
export const createProxy = (
  call: (path: string, input: unknown, settings: never) => unknown,
  connection?: unknown,
): unknown => {
  const step = (path: string): unknown => {
    const steps = new Map<unknown, unknown>(path ? [] : [['$connection', connection]])
    return new Proxy(() => {}, {
      get(_target, key) {
        if (!steps.has(key) && typeof key === 'string' && !RESERVED.test(key))
          steps.set(key, step((path && `${path}.`) + JSON.stringify(key).slice(1, -1)))
        return steps.get(key)
      },
      // By index: to take an array apart by its iterator costs more.
      apply: (_target, _this, given) => call(path, given[0], given[1] as never),
    })
  }
  return step('')
}
