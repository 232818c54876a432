/** An object whose methods can be called by name. */
type Callable = Record<string, (...args: unknown[]) => Promise<unknown>>

interface Namespace {
  getByName(name: string): { fetch(request: Request): Promise<Response> }
}

/**
 * Leads `/<object>` to the object of that name, and `POST /call/<object>/<method>` to its method, with what the body says as
 * arguments. Anything else is not answered.
 */
export const relay = async (request: Request, objects: Namespace): Promise<Response> => {
  const [, first, name, method] = new URL(request.url).pathname.split('/')
  if (first !== 'call') return objects.getByName(first!).fetch(request)
  const stub = objects.getByName(name!) as unknown as Callable
  try {
    const result = await stub[method!]!(...((await request.json()) as unknown[]))
    return new Response(result === undefined ? '' : JSON.stringify(result))
  } catch (error) {
    return new Response(String(error), { status: 500 })
  }
}
