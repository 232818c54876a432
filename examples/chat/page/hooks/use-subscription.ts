import type { CallError, Observer, Subscription } from '@pairwire/client'
import { useEffect, useEffectEvent, useState } from 'react'

/**
 * Subscribes for as long as the component is there, and anew for another client. The callbacks may be new ones in each
 * render.
 *
 * @returns the error that ended the subscription, if one did
 * @example
 * useSubscription(client, (client) => client.messages(), { onData: (message) => setLast(message) })
 */
export const useSubscription = <Client, Event, Errors>(
  client: Client,
  open: (client: Client) => Subscription<Event, Errors>,
  observer: Observer<Event, Errors>,
): CallError<Errors> | undefined => {
  const [error, setError] = useState<CallError<Errors>>()
  const begin = useEffectEvent(() => {
    setError(undefined)
    return open(client).subscribe({ onData, onGap, onDone: () => observer.onDone?.(), onError: setError })
  })
  const onData = useEffectEvent((event: Event) => observer.onData?.(event))
  const onGap = useEffectEvent<NonNullable<typeof observer.onGap>>((gap) => observer.onGap?.(gap))
  // biome-ignore lint/correctness/useExhaustiveDependencies: begins anew with another client, and for nothing else
  useEffect(() => begin(), [client])
  return error
}
