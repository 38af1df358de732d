import { describe, expect, it } from "vitest";
import { commitTo, committed } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

const numericIds = ["9007199254740993", "0101", "", "1e3"];
const escapes = ["a\0b", "a\\u0000b", `"'\\`, `"'\\\\`, "\ud83d", "\\ud83d", "\u007f", "\u007f0", "\u007f1", "\\", '\\"', '"'];
const strangeIds = [...numericIds, ...escapes, "👩‍👩‍👧‍👦", "x".repeat(5000), `${"x".repeat(5000)}y`];

/** The conversations of a user can be found, by id. */
export function describeUsers(options: StoreSuiteOptions): void {
  describe("conversations of a user", () => {
    const test = useStore(options);

    it("should find all of one user, of one endpoint or of all", async () => {
      const { store } = test;
      for (const [endpoint, name, id] of [
        ["demo", "1", "ada"],
        ["demo", "2", "bo"],
        ["demo", "3", "ada"],
        ["demo2", "1", "ada"],
        ["demo", "4", "ada2"],
      ] as const) {
        const create = { endpoint, conversation: name };
        await committed(store, { conversation: `${endpoint}/${name}`, create, update: { user: { name: "Ada", id } } });
      }
      await committed(store, commitTo("demo/nobody", { update: { botThrough: 1 } }));
      const find = (user: string, endpoint?: string) =>
        store.listConversationsOfUser({ user, limit: 10, ...(endpoint ? { endpoint } : {}) });
      expect(await find("ada")).toEqual(["demo/1", "demo/3", "demo2/1"]);
      expect(await find("ada", "demo")).toEqual(["demo/1", "demo/3"]);
      expect(await find("ada", "dem")).toEqual([]);
      expect(await find("Ada")).toEqual([]);
    });

    it("should find page after page", async () => {
      const { store } = test;
      const keys = Array.from({ length: 7 }, (_, index) => `demo/${index}`);
      for (const key of keys) await committed(store, commitTo(key, { update: { user: { id: "ada" } } }));
      const pages: (readonly string[])[] = [];
      for (let after: string | undefined; ;) {
        const page = await store.listConversationsOfUser({ user: "ada", limit: 3, ...(after === undefined ? {} : { after }) });
        if (page.length === 0) break;
        pages.push(page);
        after = page.at(-1);
      }
      expect(pages.map(({ length }) => length)).toEqual([3, 3, 1]);
      expect(pages.flat()).toEqual(keys);
    });

    it("should go by the user that the conversation has now, and not find one that was erased", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { update: { user: { id: "ada" } } }));
      await committed(store, { conversation: "demo/a", update: { user: { id: "bo", name: "Bo" } } });
      await committed(store, { conversation: "demo/a", update: { user: { id: "bo", name: "Bob" } } });
      expect(await store.listConversationsOfUser({ user: "ada", limit: 10 })).toEqual([]);
      const reopened = await test.reopen();
      expect(await reopened.listConversationsOfUser({ user: "bo", limit: 10 })).toEqual(["demo/a"]);
      await reopened.erase("demo/a");
      expect(await reopened.listConversationsOfUser({ user: "bo", limit: 10 })).toEqual([]);
      await committed(reopened, { conversation: "demo/a", update: { user: { id: "bo" } } });
      expect(await reopened.listConversationsOfUser({ user: "bo", limit: 10 })).toEqual(["demo/a"]);
    });

    it("should take every id as a string, and keep them apart [F086 store part]", async () => {
      const { store } = test;
      for (const [index, id] of strangeIds.entries())
        await committed(store, commitTo(`demo/${index}`, { update: { user: { attributes: { id: "ada" }, id } } }));
      for (const [index, user] of strangeIds.entries()) {
        expect(await store.listConversationsOfUser({ user, limit: 10 }), JSON.stringify(user)).toEqual([`demo/${index}`]);
      }
      for (const user of ["101", "9007199254740992", "\ufffd", "a", "ada"])
        expect(await store.listConversationsOfUser({ user, limit: 10 })).toEqual([]);
    });
  });
}
