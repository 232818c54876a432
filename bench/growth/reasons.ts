/** Why a series grows faster than linearly, where it does: what `growth.md` says beside it. By panel and name. */
export const REASONS: Readonly<Record<string, string>> = {
  'calls, a call':
    'of 10,000 calls nearly all wait at the client, and no longer fit into the caches: each is dearer to touch, and none is touched more often',
  'events, a connection each':
    'from 100 to 1,000 sockets a delivery gets dearer, to a hand-written socket, too: they no longer fit into the caches',
  'events, a raw socket each': 'sockets that no longer fit into the caches of the processor',
  'wakes, a socket each':
    'garbage collection, which begins with some hundred sessions; of waking itself, each step costs a socket the same',
  'encode, dates, maps, sets':
    'marks are one object with a key for each rich value; with 100,000 of them, building that table and printing it outgrow it',
  'decode, dates, maps, sets':
    'marks are one object with a key for each rich value; with 100,000 of them, parsing that table and reading it outgrow it',
}
