import { parseConfig, type HandoverError, type Json, type Provisioned, type ProvisioningCall } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { makeCall, makeStartCall } from "../src/__fixtures__/calls.ts";
import { eightbyeightProvider } from "../src/index.ts";
import { makeRequest, openDesk, type Desk } from "./desk.ts";

let desk: Desk;
afterEach(() => desk.close());

const { provisioning } = eightbyeightProvider;

async function run(own: Record<string, unknown> = {}, resume?: Json, crashAt?: number): Promise<{ made: Provisioned; saved: Json[] }> {
  const saved: Json[] = [];
  const input = { baseUrl: desk.simulator.baseUrl, apiKey: desk.simulator.apiKey, queueId: "101", ...own };
  const call: ProvisioningCall = {
    ...makeCall(),
    ...(resume === undefined ? {} : { resume }),
    async checkpoint(progress) {
      saved.push(progress);
      if (saved.length === crashAt) throw new Error("The process died here.");
    },
  };
  const made = await provisioning?.run(parseConfig(provisioning.input, input, "input"), desk.context, call);
  return { made: made ?? { settings: {}, notes: [] }, saved };
}

async function failureOf(promise: Promise<unknown>): Promise<HandoverError> {
  return (await promise.then(
    () => undefined,
    (error: unknown) => error,
  )) as HandoverError;
}

const created = (): string[] => desk.calls("POST").map(({ path }) => path.replace(/.*v1/, ""));

describe("provisioning", () => {
  it("should verify and make the webhook and the channel, and settings that work at once [F176 part: 8x8]", async () => {
    desk = await openDesk({ hasChannel: false });
    const { made, saved } = await run({ channelName: "Bot", webhookName: "Bot hook" });
    expect(created()).toEqual(["/webhooks/verify", "/webhooks", "/channels"]);
    expect(desk.bodies("/webhooks")).toEqual([{ name: "Bot hook", uri: desk.context.webhookUrl, version: "Chat Gateway v1.0" }]);
    expect(made.settings).toEqual({ baseUrl: desk.simulator.baseUrl, queueId: "101", channelId: expect.any(String) as string });
    expect(saved).toHaveLength(2);
    expect(JSON.stringify([made, saved])).not.toContain(desk.simulator.apiKey);
    const connection = desk.connect({ ...made.settings });
    expect((await connection.checkConnection?.(makeCall()))?.map(({ level }) => level)).toEqual(["ok", "ok", "ok"]);
    expect((await connection.start(makeRequest(), makeStartCall())).relay).toBe("both");
    await desk.simulator.webhooksIdle();
    expect([desk.refused, desk.deliveries.length > 0]).toEqual([[], true]);
  });

  it("should take what is there already, as often as it is run [F176 part: twice]", async () => {
    desk = await openDesk({ hasChannel: false });
    const first = await run();
    const second = await run();
    expect(second.made.settings).toEqual(first.made.settings);
    expect(second.made.notes).toEqual(["The webhook was there already.", "The channel was there already."]);
    const other = await run({ queueId: "102" });
    expect(other.made.settings["channelId"]).not.toBe(first.made.settings["channelId"]);
    expect(created().filter((path) => path !== "/webhooks/verify")).toEqual(["/webhooks", "/channels", "/channels"]);
  });

  it("should go on after a crash at each step, and after an answer that was lost [F176 part: half way]", async () => {
    desk = await openDesk({ hasChannel: false });
    await failureOf(run({}, undefined, 1));
    await failureOf(run({}, { webhookId: "gone-since" }, 2));
    expect(await run()).toMatchObject({ made: { notes: ["The webhook was there already.", "The channel was there already."] } });
    desk.simulator.setFaults({ loseAnswerRate: 1, only: "POST /channels", times: 1 });
    expect(await failureOf(run({ queueId: "102" }))).toMatchObject({ message: expect.stringContaining("the channel") as string });
    await run({ queueId: "102" });
    expect(created().filter((path) => path !== "/webhooks/verify")).toEqual(["/webhooks", "/channels", "/channels"]);
  });

  it("should say which step was refused and why", async () => {
    desk = await openDesk({ hasChannel: false });
    const refused = await failureOf(run({ queueId: "999" }));
    expect(refused).toMatchObject({ code: "QUEUE_NOT_FOUND" });
    expect(refused.message).toContain("the channel");
    expect(await failureOf(run({ apiKey: "wrong" }))).toMatchObject({ code: "API_KEY_REFUSED" });
    const unreachable = { ...desk.context, webhookUrl: "http://127.0.0.1:1/handover/eightbyeight/desk/secret" };
    const input = { baseUrl: desk.simulator.baseUrl, apiKey: desk.simulator.apiKey, queueId: "101" };
    const call = { ...makeCall(), checkpoint: async () => undefined };
    const notVerified = await failureOf(
      Promise.resolve(provisioning?.run(parseConfig(provisioning.input, input, "input"), unreachable, call)),
    );
    expect(notVerified).toMatchObject({ code: "WEBHOOK_NOT_VERIFIED", isRetryable: true });
    expect(notVerified.message).not.toContain("secret/");
    const { webhookUrl: _none, ...hidden } = desk.context;
    expect(
      await failureOf(Promise.resolve(provisioning?.run(parseConfig(provisioning.input, input, "input"), hidden, call))),
    ).toMatchObject({ code: "PUBLIC_URL_MISSING" });
  });

  it("should do without the verification where the host cannot run meanwhile, and send the version twice where 8x8 insists", async () => {
    desk = await openDesk({ hasChannel: false });
    desk.simulator.setFaults({ failRate: 1, status: 400, only: "POST /webhooks", times: 1 });
    await run({ verifyWebhook: false });
    expect(created()).toEqual(["/webhooks", "/webhooks", "/channels"]);
    expect(desk.bodies("/webhooks")[1]).toMatchObject({ version: "Chat Gateway v1.0", notificationVersion: "Chat Gateway v1.0" });
  });
});
