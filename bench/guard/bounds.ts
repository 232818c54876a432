/**
 * What may be counted, at most; of bytes on the wire exactly. The counts are the same on every machine and in every run, so
 * each number is today's, and no room is left but where it says so: less is possible at any time, more is a regression.
 *
 * `node bench/guard/guard.ts --tighten` writes down what is counted now, where that is less; `--accept` also where it is more.
 */
export const BOUNDS: Record<string, Record<string, number>> = {
  // Bytes that go over the socket, WebSocket's own 2 to 6 of each frame included. Ids have three digits.
  bytes: {
    'a call': 31,
    'its answer': 9,
    'a call, in bursts of 50': 26.28,
    'its answer, in bursts of 50': 8.12,
    'an event of a generator': 33.924,
    // With its id.
    'an event of a topic': 51.96,
  },

  // Frames, both ways; of events those that bring them. Of 1,000 calls 256 are under way at once, and in which frames the next
  // ones leave is a matter of what comes first over a real socket: it may take 16, or 46, and takes 2,000 where none is shared.
  frames: {
    'Node: a call after the other': 2,
    'Node: 2 calls in one turn': 4,
    'Node: 10 calls in one turn': 4,
    'Node: 100 calls in one turn': 6,
    'Node: 1,000 calls in one turn': 60,
    'Node: 1,000 events of a generator': 5,
    'Node: 1,000 events of a topic': 7,
    'a Worker: a call after the other': 2,
    'a Worker: 2 calls in one turn': 4,
    'a Worker: 10 calls in one turn': 4,
    'a Worker: 100 calls in one turn': 6,
    'a Worker: 1,000 calls in one turn': 120,
    'a Worker: 1,000 events of a generator': 5,
    'a Worker: 1,000 events of a topic': 8,
    'a Durable Object: a call after the other': 2,
    'a Durable Object: 2 calls in one turn': 4,
    'a Durable Object: 10 calls in one turn': 4,
    'a Durable Object: 100 calls in one turn': 6,
    'a Durable Object: 1,000 calls in one turn': 120,
    'a Durable Object: 1,000 events of a generator': 5,
    'a Durable Object: 1,000 events of a topic': 8,
    'a hibernating object: a call after the other': 2,
    'a hibernating object: 2 calls in one turn': 4,
    'a hibernating object: 10 calls in one turn': 4,
    'a hibernating object: 100 calls in one turn': 6,
    'a hibernating object: 1,000 calls in one turn': 120,
    'a hibernating object: 1,000 events of a generator': 5,
    'a hibernating object: 1,000 events of a topic': 8,
  },

  // Promises made at both ends, those of the user's own loop included; per call, event or delivery, here and below.
  promises: {
    'a call, one after the other': 2.01,
    'a call, 100 in flight': 2.28,
    'a mutation, 100 in flight': 2.41,
    'a call of an async handler, 100 in flight': 6.28,
    // A sync handler costs none. What is left are the turns of this process.
    'a call, 100 in flight, at the server': 0.01,
    'an event of a generator': 6.02,
    'an event of a topic': 2.02,
    'a delivery of a broadcast': 4.06,
  },

  // Continuations of promises, microtasks and ticks that run.
  turns: {
    'a call, one after the other': 1.01,
    'a call, 100 in flight': 1.26,
    'a mutation, 100 in flight': 1.38,
    'a call of an async handler, 100 in flight': 4.29,
    'a call, 100 in flight, at the server': 0.01,
    'an event of a generator': 3.01,
    'an event of a topic': 1.01,
    'a delivery of a broadcast': 1.95,
  },

  // Timers that are set.
  timers: {
    'a call, one after the other': 0,
    'a call, 100 in flight': 0,
    'a mutation, 100 in flight': 0,
    // One for a hundred, since a handler that is awaited may take too long.
    'a call of an async handler, 100 in flight': 0.03,
    'a call, 100 in flight, at the server': 0,
    'an event of a generator': 0,
    'an event of a topic': 0,
    'a delivery of a broadcast': 0,
  },

  // The most of any workload above.
  'never made': {
    AbortController: 0,
    Error: 0,
    'random number': 0,
  },

  // A call's path is written once: what is left are its input and its result. Of an event of a topic, value and id.
  stringify: {
    'a call, one after the other': 2,
    'a call, 100 in flight': 2,
    'a mutation, 100 in flight': 2,
    'a call of an async handler, 100 in flight': 2,
    'a call, 100 in flight, at the server': 1,
    'an event of a generator': 1.01,
    'an event of a topic': 2.01,
    'a delivery of a broadcast': 0.03,
  },

  // One for each frame.
  parse: {
    'a call, one after the other': 2,
  },

  // Of an object of about 6 KB that a procedure echoes.
  values: {
    'of plain data: values asked about': 0,
    'of plain data: values superjson is asked about': 0,
    'of plain data: JSON.stringify': 2,
    // To see that it is plain, and to write it.
    'of plain data: times a field is read': 2,
    'with 80 rich values: each is asked about': 1,
    'with 80 rich values: each is revived': 1,
    // The value and its marks, each way.
    'with 80 rich values: JSON.stringify': 322,
    'with rich values: times a field is read': 2,
  },

  // One event to 100 sockets.
  broadcast: {
    'times an event is encoded': 1,
    'times an event is checked': 1,
    // The publisher is told that its call has ended.
    'frames to each socket': 1.01,
    'times bufferedAmount is read, per frame': 1,
  },

  // Bytes allocated at both ends, with V8's optimizer switched off: it spares some of them. With 5 % of room.
  garbage: {
    'a call, one after the other': 5_980,
    'a call, 100 in flight': 3_940,
    'a mutation, 100 in flight': 4_320,
    'a call of an async handler, 100 in flight': 4_830,
    'a call, 100 in flight, at the server': 1_560,
    'an event of a generator': 2_690,
    'an event of a topic': 3_050,
    'a delivery of a broadcast': 3_520,
  },

  // Bytes of a server's heap, the upgrade's `Request` included as long as it is held, the socket not. With 5 % of room.
  heap: {
    'an idle connection': 1_970,
    'an idle subscription to a topic': 440,
    'an idle subscription to a generator': 1_630,
  },
}
