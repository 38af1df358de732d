import type { Json } from "@handover/core";
import type { Store } from "@handover/runtime";
import { describe, expect, it, vi } from "vitest";
import { commitTo, committed, newDelivery, newEntry, startHandover, unwritable } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

/** Those who want to know hear of it. */
export function describeSignals(options: StoreSuiteOptions): void {
  describe("signals", () => {
    const test = useStore(options);

    it("should bring what is published to everybody who subscribed to the topic", async () => {
      const { store } = test;
      const other = vi.fn();
      store.subscribe("other", other);
      const heard = Promise.all([next(store, "typing"), next(store, "typing")]);
      store.publish("typing", { isTyping: true, id: "0101" });
      expect(await heard).toEqual([
        { isTyping: true, id: "0101" },
        { isTyping: true, id: "0101" },
      ]);
      expect(other).not.toHaveBeenCalled();
    });

    it("should not call anybody who has stopped listening", async () => {
      const { store } = test;
      const stopped = vi.fn();
      const stop = store.subscribe("typing", stopped);
      stop();
      stop();
      const heard = next(store, "typing");
      store.publish("typing", 1);
      expect(await heard).toBe(1);
      expect(stopped).not.toHaveBeenCalled();
    });

    it("should not let a listener that throws disturb the others or the writer", async () => {
      const { store } = test;
      store.subscribe("typing", () => {
        throw new Error("broken listener");
      });
      store.watch(() => {
        throw new Error("broken watcher");
      });
      const heard = next(store, "typing");
      store.publish("typing", 1);
      expect(await heard).toBe(1);
      await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
    });

    it("should name conversations that changed, after the change can be read", async () => {
      const { store } = test;
      const seen = watchNext(store);
      await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
      expect(await seen).toBe("demo/a");
      expect(await store.readConversation("demo/a")).toMatchObject({ lastSeq: 1 });
      await startHandover(store, "demo/b", ["conversation:1"]);
      const received = watchNext(store);
      await store.receive([newDelivery("m1", ["conversation:1"])]);
      expect(await received).toBe("demo/b");
    });

    it("should tell other instances what changed and what is published, where there are others", async () => {
      const [first, second] = await test.two();
      const seen = watchNext(second);
      await committed(first, commitTo("demo/a", { append: [newEntry("1")] }));
      expect(await seen).toBe("demo/a");
      expect(await second.readConversation("demo/a")).toMatchObject({ lastSeq: 1 });
      const heard = next(first, "typing");
      second.publish("typing", { isTyping: true });
      expect(await heard).toEqual({ isTyping: true });
    });

    it("should not name conversations that did not change", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
      const seen: string[] = [];
      store.watch((conversation) => seen.push(conversation));
      await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
      expect(await store.commit({ conversation: "demo/a", expectVersion: 9, append: [newEntry("2")] })).toEqual({ status: "conflict" });
      await expect(store.commit(commitTo("demo/b", { append: [newEntry("3", { text: unwritable() })] }))).rejects.toThrow();
      const marker = watchNext(store);
      await committed(store, commitTo("demo/marker", { append: [newEntry("1")] }));
      await marker;
      expect(seen).toEqual(["demo/marker"]);
    });
  });
}

function next(store: Store, topic: string): Promise<Json> {
  return new Promise((resolve) => {
    const stop = store.subscribe(topic, (data) => {
      stop();
      resolve(data);
    });
  });
}

function watchNext(store: Store): Promise<string> {
  return new Promise((resolve) => {
    const stop = store.watch((conversation) => {
      stop();
      resolve(conversation);
    });
  });
}
