import { describe, expect, it } from "vitest";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

/** Small durable values. */
export function describeMemory(options: StoreSuiteOptions): void {
  describe("memory", () => {
    const test = useStore(options);

    it("should keep values by scope and key over a restart", async () => {
      const { store } = test;
      await store.writeMemory("account|7", "cursor", { since: "9007199254740993", list: [1, null] });
      await store.writeMemory("account|8", "cursor", "other");
      await store.writeMemory("account|7", "cursor ", "with a space");
      const reopened = await test.reopen();
      expect(await reopened.readMemory("account|7", "cursor")).toEqual({ since: "9007199254740993", list: [1, null] });
      expect(await reopened.readMemory("account|8", "cursor")).toBe("other");
      expect(await reopened.readMemory("account|7", "cursor ")).toBe("with a space");
      expect(await reopened.readMemory("account", "7cursor")).toBeUndefined();
    });

    it("should replace and delete values", async () => {
      const { store } = test;
      await store.writeMemory("scope", "key", 1);
      await store.writeMemory("scope", "key", 2);
      expect(await store.readMemory("scope", "key")).toBe(2);
      await store.writeMemory("scope", "key", undefined);
      await store.writeMemory("scope", "key", undefined);
      expect(await store.readMemory("scope", "key")).toBeUndefined();
    });

    it("should let the first of many claims win, and tell all of them its value", async () => {
      const stores = await test.two();
      const values = await Promise.all(
        Array.from({ length: 10 }, (_, index) => (stores[index % 2] ?? test.store).claimMemory("scope", "secret", `value ${index}`)),
      );
      expect(new Set(values).size).toBe(1);
      expect(await test.store.readMemory("scope", "secret")).toBe(values[0]);
      await test.store.writeMemory("scope", "secret", undefined);
      expect(await test.store.claimMemory("scope", "secret", "again")).toBe("again");
    });

    it("should tell a stored null from nothing", async () => {
      const { store } = test;
      await store.writeMemory("scope", "key", null);
      expect(await store.readMemory("scope", "key")).toBeNull();
      expect(await store.claimMemory("scope", "key", "value")).toBeNull();
    });
  });
}
