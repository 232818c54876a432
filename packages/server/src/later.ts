const turn = Promise.resolve()

/** What is to be done once the turn is over: for all in one microtask, as of thousands each would cost one of its own. */
export class Later {
  #due: { run(): void }[] = []

  add(item: { run(): void }): void {
    if (this.#due.push(item) === 1) turn.then(() => this.#run())
  }

  #run(): void {
    const due = this.#due
    this.#due = []
    for (const item of due) item.run()
  }
}
