import type { ChildProcess } from 'node:child_process'

/** Answers the orders of the process that started this one, and ends with it. */
export const obey = (orders: Record<string, (argument: unknown) => unknown>): void => {
  process.on('message', async ({ order, argument }: { order: string; argument: unknown }) => {
    try {
      process.send!({ order, answer: await orders[order]!(argument) })
    } catch (error) {
      process.send!({ order, error: String((error as Error)?.stack ?? error) })
    }
  })
  process.on('disconnect', () => process.exit())
}

interface Answer {
  order: string
  answer: unknown
  error?: string
}

/** Waits for a process to say something. */
export const hear = <Message>(child: ChildProcess, patience: number): Promise<Message> =>
  new Promise((resolve, reject) => {
    const done = (act: () => void) => {
      clearTimeout(timer)
      child.off('message', heard).off('exit', left)
      act()
    }
    const heard = (message: unknown) => done(() => resolve(message as Message))
    const left = (code: number | null) => done(() => reject(new Error(`a process ended with ${code}`)))
    const timer = setTimeout(() => done(() => reject(new Error(`no answer within ${patience} ms`))), patience)
    child.on('message', heard).on('exit', left)
  })

/** Gives an order. @throws what went wrong there, and for silence */
export const command = async (child: ChildProcess, order: string, argument?: unknown, patience = 60_000) => {
  child.send({ order, argument })
  const { answer, error } = await hear<Answer>(child, patience)
  if (error) throw new Error(error)
  return answer
}
