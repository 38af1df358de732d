import { describe, expect, it } from "vitest";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();

describe("a webhook that is refused", () => {
  it("should be logged with its code and what was compared, once and not each time, without its content [F111 runtime part]", async () => {
    const world = await open({});
    const [{ webhookUrl } = {}] = world.runtime.connections();
    const post = () =>
      world.runtime.handleWebhook("desk", new Request(webhookUrl!, { method: "POST", body: '{"said":"something private"}' }));
    const answers = await Promise.all(Array.from({ length: 20 }, post));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 401));
    const { code } = (await answers[0]!.json()) as { readonly code: string };
    const lines = world.log.filter(({ fields }) => fields["code"] === code);
    expect(lines).toMatchObject([{ level: "warn", fields: { connection: "desk", code } }]);
    expect(JSON.stringify(lines)).not.toContain("private");
    expect(JSON.stringify(lines)).not.toContain(webhookUrl!.split("/").at(-1));
  });
});
