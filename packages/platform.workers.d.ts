// Where the types of Workers are stricter than Workers: added when our sources are compiled with them.
declare function clearTimeout(timer: number | undefined): void
declare function clearInterval(timer: number | undefined): void
