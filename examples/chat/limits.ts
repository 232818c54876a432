// Beside the contract, and without its schemas: the page's script has these too.

/** Bytes of a picture. It is a row in the object's database and a message on the wire, and either has a bound. */
export const PICTURE_BYTES = 500_000

/** Characters of a message, and of a visitor's name. */
export const TEXT_LENGTH = 2_000
export const NAME_LENGTH = 32
