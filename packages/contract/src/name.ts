/** The type of a procedure or namespace whose name is refused: nothing has it, so the name cannot be used. */
export interface RefusedName {
  readonly '~refused': never
}

/**
 * The names that no procedure may have. A client is an object whose every property is a procedure: JavaScript itself
 * asks it for `then` when it is awaited, for `toJSON` when it is printed, and for the rest on other occasions.
 *
 * The names that every object has (`constructor`, `toString`, …) are refused too, but only at run time: in types, every
 * namespace would seem to have them.
 */
export interface RefusedNames {
  readonly then?: RefusedName
  readonly catch?: RefusedName
  readonly finally?: RefusedName
  readonly prototype?: RefusedName
  readonly toJSON?: RefusedName
  readonly bind?: RefusedName
  readonly call?: RefusedName
  readonly apply?: RefusedName
}

const REFUSED =
  /^(then|catch|finally|constructor|prototype|toString|toLocaleString|valueOf|toJSON|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|bind|call|apply|__(proto|(define|lookup)[GS]etter)__)$/

/** Why a name cannot be one of a contract; undefined if it can. */
export const refusal = (name: string): string | undefined => {
  if (name === '') return 'a name cannot be empty'
  if (name.includes('.')) return 'dots separate the names of a path, so a name cannot have one'
  if (name[0] === '$' || name[0] === '~') return `names that start with "${name[0]}" belong to pairwire`
  if (REFUSED.test(name)) return `JavaScript itself asks objects for "${name}", so a client cannot carry it`
  if (/\p{Surrogate}/u.test(name)) return 'half of a surrogate pair does not survive the wire'
  return undefined
}
