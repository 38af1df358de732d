import { RuntimeError } from "../errors.ts";

/**
 * For authors of stores: the content of a file in pieces of one size (the last may be shorter), so that little of it is in memory
 * whatever its sender does.
 *
 * @throws RuntimeError `ATTACHMENT_TOO_LARGE` as soon as there are more than `maximumBytes`
 */
export async function* blobPieces(
  content: AsyncIterable<Uint8Array>,
  { pieceBytes, maximumBytes }: { readonly pieceBytes: number; readonly maximumBytes: number },
): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(pieceBytes);
  let filled = 0;
  let total = 0;
  for await (const chunk of content) {
    total += chunk.byteLength;
    if (total > maximumBytes) throw tooLarge(maximumBytes);
    for (let read = 0; read < chunk.byteLength;) {
      const taken = chunk.subarray(read, read + pieceBytes - filled);
      piece.set(taken, filled);
      filled += taken.byteLength;
      read += taken.byteLength;
      if (filled < pieceBytes) continue;
      yield piece;
      piece = new Uint8Array(pieceBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

function tooLarge(maximumBytes: number): RuntimeError {
  const words = `${maximumBytes} bytes (${(maximumBytes / 1024 / 1024).toFixed(1)} MiB)`;
  return new RuntimeError("ATTACHMENT_TOO_LARGE", `A file may have at most ${words}. Nothing of this one was kept. Send a smaller one.`);
}
