import type { StartRequest, User } from "@handover/core";
import { withoutEmpty } from "@handover/provider-utils";
import { buildAgentAssistLink } from "./eightbyeight-agent-assist.ts";
import type { EightbyeightOptions, EightbyeightSettings } from "./eightbyeight-settings.ts";

/** What the agent is shown of the customer is made of this. */
interface UserSource {
  readonly user?: User | undefined;
  readonly conversation: string;
  readonly options: EightbyeightOptions;
  readonly summary?: string | undefined;
  /** The value of the reserved customer value. */
  readonly marker: string;
  /** That lines of the history were left out. */
  readonly historyNote?: string | undefined;
}

interface Property {
  readonly key: string;
  readonly value: string;
}

const mostProperties = 30;
/** Customer values that are known at the start only. */
export const summaryKey = "summary";
export const historyNoteKey = "historyNote";

const languages = [
  "en",
  "ru",
  "de",
  "ja",
  "es",
  "fr",
  "pt",
  "it",
  "pl",
  "hr",
  "nl",
  "ar",
  "da",
  "ko",
  "no",
  "sv",
  "vi",
  "cy",
  "th",
  "zh-CN",
  "zh-TW",
];

/** `user` of a conversation; sections 1.2 and 3.3 of the reference page. Nothing in it is null, empty or no text. */
export function buildUser(settings: EightbyeightSettings, source: UserSource): { user: Record<string, unknown>; leftOut: number } {
  const { user, options } = source;
  const { additionalProperties: _properties, ...given } = options.jsonProperties ?? {};
  const own = {
    name: user?.name,
    // 8x8 may take it for a customer's id in its own records, so nobody may just claim one.
    userId: user?.isVerified ? user.id : undefined,
    email: user?.email,
    phone: user?.phone,
    language: user?.language,
  };
  const texts = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, textOf(value)]));
  const merged = { ...withoutEmpty(own), ...withoutEmpty(texts) };
  const language = toLanguage(merged.language ?? settings.defaultLanguage);
  const { properties, leftOut } = buildProperties(settings, source);
  const { language: _language, ...rest } = merged;
  return { user: { ...rest, ...(language === undefined ? {} : { language }), additionalProperties: properties }, leftOut };
}

/** Ours first, then what the caller gave, as far as there is room. */
function buildProperties(settings: EightbyeightSettings, source: UserSource): { properties: Property[]; leftOut: number } {
  const link = agentAssistLink(settings, source);
  const reserved = [
    { key: settings.handoverIdKey, value: source.marker },
    ...(link === undefined ? [] : [{ key: settings.agentAssist?.propertyKey ?? "", value: link }]),
  ];
  const wanted = [
    ...(source.options.jsonProperties?.additionalProperties ?? []).map(({ key, value }) => ({ key: textOf(key), value: textOf(value) })),
    { key: summaryKey, value: textOf(source.summary) },
    ...Object.entries(source.user?.attributes ?? {}).map(([key, value]) => ({ key: textOf(key), value: textOf(value) })),
  ].filter((property): property is Property => property.key !== undefined && property.value !== undefined);
  const taken = new Set(reserved.map(({ key }) => key));
  const further = wanted.filter(({ key }) => !taken.has(key) && Boolean(taken.add(key)));
  const room = mostProperties - reserved.length;
  const note = source.historyNote === undefined ? [] : [{ key: historyNoteKey, value: source.historyNote }];
  const properties = [...reserved, ...further.slice(0, room), ...(further.length < room ? note : [])];
  return { properties, leftOut: Math.max(0, further.length - room) };
}

function cutNote(count: number): string {
  return `${count} earlier ${count === 1 ? "message" : "messages"} left out`;
}

/** The link holds the endpoint's token: it goes to the agent and nowhere else. */
function agentAssistLink({ agentAssist }: EightbyeightSettings, { options, conversation, user }: UserSource): string | undefined {
  if (!agentAssist || options.agentAssistLink === false) return undefined;
  return buildAgentAssistLink({
    ...agentAssist,
    sessionId: options.agentAssistSessionId ?? conversation,
    userId: options.agentAssistUserId ?? user?.id,
  });
}

/** What browsers call a language for which 8x8 has another name (inferred). */
const otherNames = new Map([
  ["nb", "no"],
  ["nn", "no"],
  ["zh-hans", "zh-CN"],
  ["zh-hant", "zh-TW"],
]);

/** `de-DE` is routed as `de`; a language that 8x8 does not know is left out. */
function toLanguage(language: string | undefined): string | undefined {
  const parts = (language ?? "").trim().toLowerCase().split(/[-_]/);
  const lessAndLess = parts.map((_part, index) => parts.slice(0, parts.length - index).join("-"));
  const known = lessAndLess.map((name) => languages.find((one) => one.toLowerCase() === name) ?? otherNames.get(name));
  return known.find((name) => name !== undefined);
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** What a start knows of the customer. */
export function userSourceOf(request: StartRequest<EightbyeightOptions>, marker: string, historyLeftOut: number): UserSource {
  const { user, conversation, options, summary } = request;
  return { user, conversation, options, summary, marker, ...(historyLeftOut > 0 ? { historyNote: cutNote(historyLeftOut) } : {}) };
}
