import type { Person } from '../../contract.ts'

/** Who is typing. Not announced: it would never stop. */
export const Typists = ({ people }: { people: readonly Person[] }) => {
  const names = people.map(({ name }) => name)
  const many = names.length > 2 ? `${names.length} people` : names.join(' and ')
  return (
    <p className="typists">
      {names.length > 0 && (
        <>
          <span className="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {many} {names.length > 1 ? 'are' : 'is'} typing
        </>
      )}
    </p>
  )
}
