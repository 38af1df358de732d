import { randomBytes } from "node:crypto";
import type { BlobRecord, NewBlob, Store } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { commitTo, committed, newEntry, someTimeMs } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

const unlimited = { maximumBytes: 2 ** 30 };

/** A file of a conversation that need not be there yet. */
export function newBlob(id: string, change: Partial<NewBlob> = {}): NewBlob {
  const { conversation = "demo/a" } = change;
  const create = { endpoint: "demo", conversation };
  return { id, conversation, create, name: "photo.png", type: "image/png", createdAtMs: someTimeMs, ...change };
}

/** Pieces as they come from a sender. */
export async function* pieces(...all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of all) yield await Promise.resolve(piece);
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from("half"));
  throw new Error("The sender went away.");
}

/** Two files with the same id, of which each has begun before the other is complete. */
async function putAtOnce(stores: readonly [Store, Store], id: string): Promise<readonly BlobRecord[]> {
  const begun = stores.map(() => Promise.withResolvers<undefined>());
  async function* content(index: number): AsyncGenerator<Uint8Array> {
    begun[index]?.resolve(undefined);
    await Promise.all(begun.map(({ promise }) => promise));
    yield Buffer.from(`${index}`);
  }
  return Promise.all(stores.map((store, index) => store.putBlob(newBlob(id, { name: `${index}` }), content(index), unlimited)));
}

async function bytesOf(store: Store, conversation: string, id: string): Promise<Buffer | undefined> {
  const found = await store.readBlob(conversation, id);
  if (!found) return undefined;
  const all: Uint8Array[] = [];
  for await (const piece of found.content) all.push(Uint8Array.from(piece));
  return Buffer.concat(all);
}

/** Files belong to a conversation, and come back byte by byte. */
export function describeBlobs(options: StoreSuiteOptions): void {
  describe("files", () => {
    const test = useStore(options);

    it("should give a file back as it was, also after a restart", async () => {
      const bytes = randomBytes(1_500_003);
      const blob = newBlob("f1", { name: "résumé \0 👩‍👩‍👧‍👦.pdf", type: "application/pdf" });
      const { create: _create, ...record } = blob;
      const kept = await test.store.putBlob(
        blob,
        pieces(bytes.subarray(0, 7), bytes.subarray(7, 70_000), bytes.subarray(70_000)),
        unlimited,
      );
      expect(kept).toEqual({ ...record, sizeBytes: bytes.length });
      const reopened = await test.reopen();
      expect((await reopened.readBlob("demo/a", "f1"))?.blob).toEqual(kept);
      expect((await bytesOf(reopened, "demo/a", "f1"))?.equals(bytes)).toBe(true);
    });

    it.each([0, 1, 65_535, 65_536, 65_537, 262_144])("should keep a file of %i bytes", async (size) => {
      const bytes = randomBytes(size);
      expect(await test.store.putBlob(newBlob("f1"), pieces(bytes, new Uint8Array()), unlimited)).toMatchObject({ sizeBytes: size });
      expect((await bytesOf(test.store, "demo/a", "f1"))?.equals(bytes)).toBe(true);
    });

    it("should say clearly that there is no such file", async () => {
      const { store } = test;
      await store.putBlob(newBlob("f1"), pieces(randomBytes(10)), unlimited);
      for (const [conversation, id] of [
        ["demo/a", "f2"],
        ["demo/b", "f1"],
        ["", ""],
      ] as const) {
        expect(await store.readBlob(conversation, id)).toBeUndefined();
        expect(await store.deleteBlob(conversation, id)).toBe(false);
      }
    });

    it("should keep files of two conversations with the same id apart [F087 store part]", async () => {
      const { store } = test;
      await store.putBlob(newBlob("f1"), pieces(Buffer.from("of a")), unlimited);
      await store.putBlob(newBlob("f1", { conversation: "demo/b" }), pieces(Buffer.from("of b")), unlimited);
      expect(await store.deleteBlob("demo/a", "f1")).toBe(true);
      expect(await bytesOf(store, "demo/a", "f1")).toBeUndefined();
      expect(String(await bytesOf(store, "demo/b", "f1"))).toBe("of b");
    });

    it("should list files of one conversation or of all, the oldest first, from one time to another", async () => {
      const { store } = test;
      const kept = [
        await store.putBlob(newBlob("f2", { createdAtMs: someTimeMs + 1 }), pieces(Buffer.from("2")), unlimited),
        await store.putBlob(newBlob("f1"), pieces(Buffer.from("one")), unlimited),
        await store.putBlob(newBlob("f3", { conversation: "demo/b", createdAtMs: someTimeMs + 2 }), pieces(), unlimited),
      ] as const;
      await store.putBlob(newBlob("f4"), broken(), unlimited).catch(() => undefined);
      const [second, first, third] = kept;
      expect(await store.listBlobs({ limit: 10 })).toEqual([first, second, third]);
      expect(await store.listBlobs({ limit: 2 })).toEqual([first, second]);
      expect(await store.listBlobs({ conversation: "demo/a", limit: 10 })).toEqual([first, second]);
      expect(await store.listBlobs({ conversation: "demo/c", limit: 10 })).toEqual([]);
      expect(await store.listBlobs({ fromMs: someTimeMs + 1, beforeMs: someTimeMs + 2, limit: 10 })).toEqual([second]);
      await store.deleteBlob("demo/a", "f1");
      expect(await store.listBlobs({ beforeMs: someTimeMs + 1, limit: 10 })).toEqual([]);
    });

    it("should keep the first file with an id", async () => {
      const { store } = test;
      const first = await store.putBlob(newBlob("f1"), pieces(Buffer.from("first")), unlimited);
      const again = await store.putBlob(newBlob("f1", { name: "other.png" }), pieces(Buffer.from("second")), unlimited);
      expect(again).toEqual(first);
      const both = await putAtOnce(await test.two(), "f2");
      expect(both[0]).toEqual(both[1]);
      expect(String(await bytesOf(store, "demo/a", "f2"))).toBe(both[0]?.name);
      expect(String(await bytesOf(store, "demo/a", "f1"))).toBe("first");
    });

    it("should keep nothing of a file that is too large, and read no further than it has to", async () => {
      const { store } = test;
      let given = 0;
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (;;) {
          given += 1000;
          yield await Promise.resolve(Buffer.alloc(1000, "canary"));
        }
      }
      const limits = { maximumBytes: 300_000 };
      await expect(store.putBlob(newBlob("f1"), endless(), limits)).rejects.toMatchObject({ code: "ATTACHMENT_TOO_LARGE" });
      expect(given).toBe(301_000);
      expect(await store.readBlob("demo/a", "f1")).toBeUndefined();
      expect(await test.contains("canarycanary")).toBe(false);
      expect(await store.putBlob(newBlob("f1"), pieces(Buffer.alloc(300_000)), limits)).toMatchObject({ sizeBytes: 300_000 });
    });

    it("should keep nothing of a file whose sender fails, and show nothing of one that is not complete", async () => {
      const { store } = test;
      const unseen: unknown[] = [];
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield await Promise.resolve(Buffer.alloc(400_000, "canary"));
        unseen.push(await store.readBlob("demo/a", "f1"));
        throw new Error("The sender went away.");
      }
      await expect(store.putBlob(newBlob("f1"), broken(), unlimited)).rejects.toThrow("The sender went away.");
      expect(unseen).toEqual([undefined]);
      expect(await store.readBlob("demo/a", "f1")).toBeUndefined();
      expect(await test.contains("canarycanary")).toBe(false);
    });

    it("should reject a file of a conversation that does not exist", async () => {
      const { create: _create, ...blob } = newBlob("f1");
      await expect(test.store.putBlob(blob, pieces(randomBytes(10)), unlimited)).rejects.toMatchObject({ code: "STORE_FAILED" });
      expect(await test.store.readConversation("demo/a")).toBeUndefined();
    });

    it("should give conversations a file without changing them", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
      const before = await store.readConversation("demo/a");
      await store.putBlob(newBlob("f1"), pieces(randomBytes(10)), unlimited);
      expect(await store.readConversation("demo/a")).toEqual(before);
    });

    it("should hold one piece of a file at a time", async () => {
      const { store } = test;
      await store.putBlob(newBlob("f1"), pieces(...Array.from({ length: 8 }, () => randomBytes(1_000_000))), unlimited);
      const found = await store.readBlob("demo/a", "f1");
      const sizes: number[] = [];
      for await (const piece of found?.content ?? pieces()) sizes.push(piece.byteLength);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(1_048_576);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(8_000_000);
    });

    it("should say that a file was deleted while it was read", async () => {
      const { store } = test;
      await store.putBlob(newBlob("f1"), pieces(randomBytes(3_000_000)), unlimited);
      const found = await store.readBlob("demo/a", "f1");
      const read = async (): Promise<void> => {
        for await (const _piece of found?.content ?? pieces()) await store.deleteBlob("demo/a", "f1");
      };
      await expect(read()).rejects.toMatchObject({ code: "STORE_FAILED" });
    });
  });
}
