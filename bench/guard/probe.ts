// One process that counts one thing: `node probe.ts counts`. Its last line is what it found. It may be told to break something
// first, so that what it then finds is wrong: see demonstrate.ts.
const [name, broken] = process.argv.slice(2)
if (broken) (await import('./break.ts')).breakIt(broken)
const { measure } = await import(`./probes/${name}.ts`)
console.log(JSON.stringify(await measure(broken)))
process.exit()

export {}
