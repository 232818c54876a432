import type { Step } from './step.ts'
import { calls } from './steps/calls.ts'
import { cuts } from './steps/cuts.ts'
import { endings } from './steps/endings.ts'
import { frames } from './steps/frames.ts'
import { streams } from './steps/streams.ts'

/** The whole tour, in the order in which it is told. */
export const steps: Step[] = [...calls, ...streams, ...endings, ...frames, ...cuts]
