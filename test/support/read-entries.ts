import type { Entry } from "@handover/runtime";

/** Reads the entries of a stream of server-sent events until it ends or breaks. `onSign`: it lives, whatever it said. */
export async function readEntries(response: Response, onEntry: (entry: Entry) => void, onSign?: () => void): Promise<void> {
  let buffer = "";
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    onSign?.();
    buffer += chunk;
    const blocks = buffer.split("\n\n");
    buffer = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data && /^event: entry$/m.test(block)) onEntry(JSON.parse(data) as Entry);
    }
  }
}
