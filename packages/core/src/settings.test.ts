import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { aProvider } from "./__fixtures__/a-provider.ts";
import { InvalidConfigError } from "./errors/invalid-config-error.ts";
import { describeSettings, parseConfig, toConfigIssues } from "./settings.ts";

const settings = z.strictObject({
  baseUrl: z.url({ protocol: /^https?$/ }),
  apiKey: z.string().min(8).meta({ secret: true }),
  closeMode: z.enum(["conversation", "stage"]).optional(),
  retries: z.int().min(0).max(5).optional(),
  queues: z.array(z.strictObject({ queueId: z.string(), skills: z.array(z.string()).optional() })).optional(),
  perLanguage: z.record(z.string(), z.strictObject({ inboxId: z.string() })).optional(),
  contact: z.strictObject({ email: z.email().optional() }).optional(),
});
const good = { baseUrl: "https://desk.example/api/v1", apiKey: "abcdefgh" };

function refusalOf(value: unknown, schema: z.ZodType = settings): InvalidConfigError {
  try {
    parseConfig(schema, value, 'connection "support-desk" (acme)');
  } catch (error) {
    if (InvalidConfigError.isInstance(error)) return error;
    throw error;
  }
  return expect.unreachable("the settings were accepted");
}

const linesOf = (value: unknown, schema?: z.ZodType) =>
  refusalOf(value, schema)
    .message.split("\n")
    .slice(1)
    .map((line) => line.trim());

describe("checking settings", () => {
  it("should give back checked settings, with what the schema makes of them", () => {
    const schema = z.strictObject({ timeoutMs: z.int().default(15_000) });
    expect(parseConfig(schema, {}, "x")).toEqual({ timeoutMs: 15_000 });
  });

  it("should name what is checked, every problem at once, and where each one is [F167 core part]", () => {
    const error = refusalOf({ baseUrl: "htp:/x", retries: 9, queues: [{ queueId: "1" }, { queueId: 2 }] });
    expect(error).toMatchObject({ code: "INVALID_CONFIG", effect: "connection", isRetryable: false });
    expect(error.message).toMatch(/^connection "support-desk" \(acme\) cannot be used:\n/);
    expect(error.issues.map((issue) => issue.path)).toEqual([["baseUrl"], ["apiKey"], ["retries"], ["queues", 1, "queueId"]]);
    expect(error.message).toContain("  queues[1].queueId: ");
  });

  it("should say of a missing field that it is missing, and what is allowed in it [F167 core part]", () => {
    const schema = z.strictObject({ region: z.enum(["us", "eu"]), inboxId: z.string(), page: z.literal(1), url: z.url() });
    expect(linesOf({}, schema)).toEqual([
      'region: is missing; allowed: "us", "eu"',
      "inboxId: is missing",
      "page: is missing; allowed: 1",
      "url: is missing",
    ]);
    expect(linesOf(undefined, schema)).toEqual(["(root): is missing"]);
  });

  it("should not call a wrong value missing", () => {
    expect(linesOf({ ...good, apiKey: null })).toEqual(["apiKey: Invalid input: expected string, received null"]);
    expect(linesOf(null)).toEqual(["(root): Invalid input: expected object, received null"]);
  });

  it("should name an unknown key and the one that was probably meant [F167 core part]", () => {
    expect(linesOf({ ...good, apikey: "x" })).toEqual(['apikey: unknown key "apikey". Did you mean "apiKey"?']);
    expect(linesOf({ ...good, "base-url": "x" })).toEqual(['base-url: unknown key "base-url". Did you mean "baseUrl"?']);
  });

  it("should name the known keys when none is near", () => {
    const schema = z.strictObject({ accountId: z.string(), inboxId: z.string() });
    expect(linesOf({ accountId: "1", inboxId: "2", colour: "red" }, schema)).toEqual([
      'colour: unknown key "colour". Known keys: accountId, inboxId',
    ]);
    expect(linesOf({ colour: "red" }, z.strictObject({}))).toEqual(['colour: unknown key "colour"']);
  });

  it("should find the known keys inside objects, lists and records", () => {
    const value = { ...good, queues: [{ queueId: "1", skils: [] }], perLanguage: { de: { inboxID: "1" } }, contact: { mail: "x" } };
    expect(linesOf(value)).toEqual([
      'queues[0].skils: unknown key "skils". Did you mean "skills"?',
      "perLanguage.de.inboxId: is missing",
      'perLanguage.de.inboxID: unknown key "inboxID". Did you mean "inboxId"?',
      'contact.mail: unknown key "mail". Did you mean "email"?',
    ]);
  });

  it("should find the known keys of a schema that is a choice of several", () => {
    const schema = z.discriminatedUnion("mode", [
      z.strictObject({ mode: z.literal("messaging"), clientId: z.string() }),
      z.strictObject({ mode: z.literal("conversation-builder"), region: z.string() }),
    ]);
    expect(linesOf({ mode: "messaging", clientID: "1", clientId: "1" }, schema)).toEqual([
      'clientID: unknown key "clientID". Did you mean "clientId"?',
    ]);
    expect(linesOf({}, schema)).toEqual(['mode: is missing; allowed: "messaging", "conversation-builder"']);
  });

  it("should speak of the nearest form when a value fits none", () => {
    const schema = z.strictObject({
      store: z.union([z.strictObject({ postgres: z.string(), pool: z.int() }), z.strictObject({ sqlite: z.string() })]),
    });
    expect(linesOf({ store: { sqlit: "x" } }, schema)).toEqual([
      "store.sqlite: is missing",
      'store.sqlit: unknown key "sqlit". Did you mean "sqlite"?',
    ]);
  });

  it("should turn issues of zod into issues for people also where somebody else ran the check", () => {
    const value = { ...good, closemode: "stage", apiKey: undefined };
    const issues = settings.safeParse(value).error!.issues;
    expect(toConfigIssues(issues, settings)).toEqual([
      { path: ["apiKey"], message: "is missing" },
      { path: ["closemode"], message: 'unknown key "closemode". Did you mean "closeMode"?' },
    ]);
    expect(toConfigIssues(issues, settings, value)).toEqual(toConfigIssues(issues, settings));
  });
});

describe("secrets in settings", () => {
  const mark = "s3cr3t-do-not-print";

  it("should never quote a value that was refused [F113 core part, F120 core part]", () => {
    const schema = z.strictObject({
      short: z.string().max(3).meta({ secret: true }),
      pattern: z.string().regex(/^\d+$/).meta({ secret: true }),
      number: z.number().meta({ secret: true }),
      choice: z.enum(["a"]).meta({ secret: true }),
      prefix: z.string().startsWith("key_").meta({ secret: true }),
      url: z.url().meta({ secret: true }),
      list: z.array(z.number()).meta({ secret: true }),
      either: z.union([z.number(), z.strictObject({ token: z.number() })]).meta({ secret: true }),
    });
    const value = {
      ...Object.fromEntries(Object.keys(schema.shape).map((key) => [key, mark])),
      list: [mark],
      either: { token: mark },
    };
    const error = refusalOf(value, schema);
    expect(error.issues.length).toBe(8);
    expect(inspect(error, { depth: 9 })).not.toContain(mark);
    expect(error.cause).toBeUndefined();
  });

  it("should not repeat a key that may hold a value, as YAML makes one of a missing space [F113 core part, F120 core part]", () => {
    const error = refusalOf({ baseUrl: good.baseUrl, [`apiKey:${mark}`]: null });
    expect(inspect(error, { depth: 9 })).not.toContain(mark);
    expect(error.issues).toEqual([
      { path: ["apiKey"], message: "is missing" },
      { path: [], message: "has a key that is no plain word. Is a space missing after a colon?" },
    ]);
  });

  it("should refuse settings without their secret [F113 core part]", () => {
    expect(linesOf({ baseUrl: good.baseUrl })).toEqual(["apiKey: is missing"]);
  });
});

describe("describing settings", () => {
  const provider = aProvider({
    name: "live-agent",
    title: "Cognigy Live Agent",
    settings: z.strictObject({
      apiKey: z.string().meta({ title: "API Key", description: "Profile Settings > Access Token", secret: true }),
      secondKey: z.string().meta({ title: "Second key", secret: true }).optional(),
      requestTimeoutMs: z.int().min(1).default(15_000).meta({ title: "Request timeout" }),
      baseUrl: z.string().transform((text) => new URL(text)),
    }),
    options: z.strictObject({ inboxId: z.string().meta({ title: "Inbox ID" }).optional() }),
  });

  it("should give JSON Schema with labels, help texts and the mark of secrets [F167 core part]", () => {
    const { name, title, settings: schema, options } = describeSettings(provider);
    expect({ name, title }).toEqual({ name: "live-agent", title: "Cognigy Live Agent" });
    expect(schema).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      additionalProperties: false,
      required: ["apiKey", "baseUrl"],
      properties: {
        apiKey: { type: "string", title: "API Key", description: "Profile Settings > Access Token", secret: true },
        secondKey: { type: "string", title: "Second key", secret: true },
        requestTimeoutMs: { type: "integer", default: 15_000, title: "Request timeout" },
        baseUrl: { type: "string" },
      },
    });
    expect(options).toMatchObject({ additionalProperties: false, properties: { inboxId: { title: "Inbox ID" } } });
  });

  it("should survive JSON, for a form that somebody else draws", () => {
    const description = describeSettings(provider);
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
  });

  it("should describe the input of provisioning only where there is one", () => {
    expect(describeSettings(provider)).not.toHaveProperty("provisioning");
    const input = z.strictObject({ organisation: z.string().meta({ title: "Organisation" }) });
    const provisioning = { input, run: async () => ({ settings: {}, notes: [] }) };
    expect(describeSettings({ ...provider, provisioning }).provisioning).toMatchObject({
      properties: { organisation: { title: "Organisation" } },
    });
  });
});
