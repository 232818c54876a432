import { Icon } from './icon.tsx'

/** Closes what a narrow page shows above the talk. A wide one shows it beside, and not this. */
export const Close = ({ what }: { what: string }) => (
  <button type="button" className="small close" aria-label="Close" popoverTarget={what} popoverTargetAction="hide">
    <Icon name="close" />
  </button>
)
