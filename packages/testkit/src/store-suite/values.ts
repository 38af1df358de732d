import { describe, expect, it } from "vitest";
import { commitTo, committed, newDelivery, newEntry, newHandover, newPart, startHandover } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

const strangeTexts: readonly [string, string][] = [
  ["NUL", "a\0b"],
  ["other control characters", "\u0001\u001b\u007f\u0085\r\n\t"],
  ["quotes and backslashes", `"'\\'" \\u0000 \\n %00 $1 ?1`],
  ["emoji and joiners", "👩‍👩‍👧‍👦🇺🇳\u200d\ufe0f"],
  ["right-to-left and combining marks", "שלום\u202e e\u0301\u0323 ﷽"],
  ["line separators and a byte order mark", "\u2028\u2029\ufeff"],
  ["noncharacters", "\ufffe\uffff\u{10ffff}"],
  ["half of a pair", "\ud83d"],
  ["the other half", "\ude00"],
  ["nothing", ""],
];

const numericIds = ["9007199254740993", "9007199254740992", "0101", "101", "1e3", "1000", "-0", "0x10", "NaN", " 1", "1 "];

/** Ids and texts come back as they were. */
export function describeValues(options: StoreSuiteOptions): void {
  describe("ids and texts", () => {
    const test = useStore(options);

    it("should keep ids that look like numbers apart and as strings [F086 store part]", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: numericIds.map((id) => newEntry(id)) }));
      const handover = await startHandover(store, "demo/a", numericIds);
      const parts = numericIds.map((id, seq) => newPart(handover, seq, { key: id, status: "sent", vendorMessageId: id }));
      await committed(store, { conversation: "demo/a", update: { user: { id: "9007199254740993" } }, parts });
      const received = await store.receive(numericIds.map((id) => newDelivery(id, [id])));
      expect(received).toMatchObject({ added: numericIds.length, repeated: 0, parked: 0 });

      const reopened = await test.reopen();
      expect((await reopened.readConversation("demo/a"))?.user).toEqual({ id: "9007199254740993" });
      expect((await reopened.readInbox("demo/a", 100)).map(({ id }) => id)).toEqual(numericIds);
      for (const [index, id] of numericIds.entries()) {
        expect(await reopened.findEntry("demo/a", "user", id)).toMatchObject({ id, seq: index + 1 });
        expect(await reopened.findPart(handover, { vendorMessageId: id })).toMatchObject({ seq: index, vendorMessageId: id });
        expect(await reopened.findPart(handover, { key: id })).toMatchObject({ seq: index, key: id });
      }
    });

    it.each(strangeTexts)("should keep %s in every text and id", async (_name, text) => {
      const { store } = test;
      const account = `account ${text}`;
      const handover = newHandover("h1", "demo/a", { options: { [text]: text }, summary: text });
      await committed(
        store,
        commitTo("demo/a", {
          create: { endpoint: "demo", conversation: text },
          append: [newEntry(text, { text, source: `desk ${text}` })],
          handovers: [handover],
          parts: [newPart("h1", 1, { key: `key ${text}`, vendorMessageId: text })],
          references: [{ accountKey: account, handover: "h1", references: [text] }],
        }),
      );
      const delivery = newDelivery(text, [text], { accountKey: account, payload: { [text]: text } });
      await store.receive([delivery]);
      await store.writeMemory(text, text, text);
      await store.note([{ atMs: 0, what: "tested", details: { text } }]);

      const reopened = await test.reopen();
      expect(await reopened.readConversation("demo/a")).toMatchObject({ conversation: text });
      expect(await reopened.findEntry("demo/a", `desk ${text}`, text)).toMatchObject({ id: text, text });
      expect(await reopened.readHandover("h1")).toEqual(handover);
      expect(await reopened.findPart("h1", { key: `key ${text}` })).toMatchObject({ vendorMessageId: text });
      expect(await reopened.findPart("h1", { vendorMessageId: text })).toBeDefined();
      expect(await reopened.readInbox("demo/a", 1)).toMatchObject([delivery]);
      expect(await reopened.readMemory(text, text)).toBe(text);
    });

    it("should keep strange ids apart from each other", async () => {
      const { store } = test;
      const texts = strangeTexts.map(([, text]) => text);
      const ids = [...texts, ...texts.map((text) => `${text}\0`), "\ufffd", "a", "e\u0301", "\u00e9", "\\ud83d"];
      const result = await committed(store, commitTo("demo/a", { append: ids.map((id) => newEntry(id)) }));
      expect(result).toMatchObject({ added: ids.length, seqs: ids.map((_, index) => index + 1) });
      await startHandover(store, "demo/a", ["conversation:1"]);
      expect(await store.receive(ids.map((id) => newDelivery(id, ["conversation:1"])))).toMatchObject({ added: ids.length });
    });

    it("should keep a long text", async () => {
      const { store } = test;
      const text = "🙂 long ".repeat(50_000);
      await committed(store, commitTo("demo/a", { append: [newEntry("1", { text })] }));
      expect((await store.readEntries("demo/a", { after: 0, limit: 1 }))[0]?.text).toBe(text);
    });
  });
}
