/** Names that JavaScript itself asks an object for. defineContract refuses them, so none can be a procedure. */
const RESERVED = /^(then|to(JSON|String)|valueOf)$/

/**
 * A client's surface: property access makes a path, a call makes a call. Each step is made once and kept.
 *
 * @param extras what stands at the root beside the procedures, under names with `$`
 */
export const createProxy = (
  call: (path: string, input: unknown, settings: never) => unknown,
  extras: Readonly<Record<string, unknown>> = {},
): unknown => {
  const step = (path: string): unknown => {
    const steps = new Map<string, unknown>()
    return new Proxy(() => {}, {
      get(_target, key) {
        if (typeof key !== 'string' || RESERVED.test(key)) return undefined
        if (!path && Object.hasOwn(extras, key)) return extras[key]
        let next = steps.get(key)
        if (!next) {
          next = step(path ? `${path}.${key}` : key)
          steps.set(key, next)
        }
        return next
      },
      apply: (_target, _this, [input, settings]) => call(path, input, settings as never),
    })
  }
  return step('')
}
