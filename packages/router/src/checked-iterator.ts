import { isThenable } from './thenable.ts'

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/**
 * An async iterator that checks each value of another as it passes. Written by hand because an async generator costs
 * several promises for each value.
 *
 * Leaving it leaves the source, so that a generator's `finally` runs; so does a value that is refused.
 */
export class CheckedIterator<T> implements AsyncIterableIterator<T, undefined> {
  readonly #source: AsyncIterator<unknown>
  readonly #check: (value: unknown) => T | PromiseLike<T>
  readonly #fail: (error: unknown) => Promise<never>
  #ended = false

  /** `check` returns or throws; `fail` rejects with what the reader is to see of an error. */
  constructor(
    source: AsyncIterable<unknown>,
    check: (value: unknown) => T | PromiseLike<T>,
    fail: (error: unknown) => Promise<never>,
  ) {
    this.#source = source[Symbol.asyncIterator]()
    this.#check = check
    this.#fail = fail
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#ended) return Promise.resolve(DONE)
    try {
      return Promise.resolve(this.#source.next()).then(this.#take, this.#end)
    } catch (error) {
      return this.#end(error)
    }
  }

  return(): Promise<IteratorResult<T, undefined>> {
    if (this.#ended) return Promise.resolve(DONE)
    return this.#leave().then(
      () => DONE,
      // Whoever reads has gone: `fail` reports what has to be, and nobody is left to be told.
      (error) => this.#fail(error).catch(() => DONE),
    )
  }

  readonly #take = (
    step: IteratorResult<unknown>,
  ): IteratorResult<T, undefined> | Promise<IteratorResult<T, undefined>> => {
    try {
      if (step.done) {
        this.#ended = true
        return DONE
      }
      const checked = this.#check(step.value)
      if (isThenable(checked)) return Promise.resolve(checked).then((value) => ({ done: false, value }), this.#refuse)
      return { done: false, value: checked as T }
    } catch (error) {
      return this.#refuse(error)
    }
  }

  readonly #end = (error: unknown): Promise<never> => {
    this.#ended = true
    return this.#fail(error)
  }

  readonly #refuse = (error: unknown): Promise<never> => {
    this.#leave().catch(() => {}) // the first error is the one that counts
    return this.#fail(error)
  }

  async #leave(): Promise<void> {
    this.#ended = true
    await this.#source.return?.()
  }
}
