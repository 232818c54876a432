/** Takes bytes as they come, and keeps none of them: only their number and their digest. */
export const upload = async (name: string, chunks: AsyncIterable<Uint8Array<ArrayBuffer>>) => {
  const digest = new crypto.DigestStream('SHA-256')
  const writer = digest.getWriter()
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    await writer.write(chunk)
  }
  await writer.close()
  return { name, size, sha256: new Uint8Array(await digest.digest) }
}
