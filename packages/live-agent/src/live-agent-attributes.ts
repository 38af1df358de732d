import type { StartRequest } from "@handover/core";
import { splitText, stableId, withoutEmpty } from "@handover/provider-utils";
import { markerAttribute } from "./live-agent-deliveries.ts";
import type { LiveAgentOptions, LiveAgentSettings } from "./live-agent-settings.ts";
import { toWireId, type WireConversation } from "./live-agent-wire.ts";

type Fields = Record<string, unknown>;

/** Longer texts and larger numbers are answered with 422. Section 3.3 (d) of the reference page. */
const longestAttribute = 1500;
const largestNumber = 9_999_999_999;
const longestContent = 150_000;

/** The body of the create call: everything that routing needs is in it, nothing is set afterwards that could be too late. */
export function conversationFields(
  settings: LiveAgentSettings,
  request: StartRequest<LiveAgentOptions>,
  progress: { readonly sourceId: string; readonly contactId: string },
): Fields {
  return {
    inbox_id: toWireId(request.options.inboxId ?? settings.inboxId),
    contact_id: toWireId(progress.contactId),
    source_id: progress.sourceId,
    status: "open",
    ...withoutEmpty(attributes(settings, request.options, progress.sourceId)),
    ...withoutEmpty({ message: summaryNote(request) }),
  };
}

/** The session id that a create call of ours stored; `undefined` for conversations of others, and where it was lost. */
export function readSessionId(settings: LiveAgentSettings, conversation: WireConversation): string | undefined {
  const [object, name] = splitKey(settings.attributeKeys.sessionId);
  const value = conversation[object][name];
  return typeof value === "string" ? value : undefined;
}

function attributes(
  settings: LiveAgentSettings,
  options: LiveAgentOptions,
  sourceId: string,
): { custom_attributes: Fields; additional_attributes: Fields } {
  const result = { custom_attributes: fitting(options.customAttributes ?? {}), additional_attributes: {} as Fields };
  const put = (key: string, value: unknown): void => {
    const [object, name] = splitKey(key);
    Object.assign(result[object], withoutEmpty({ [name]: value }));
  };
  put(settings.attributeKeys.skills, filled(options.skills));
  put(settings.attributeKeys.languages, filled(options.languages));
  put(settings.attributeKeys.sessionId, sourceId);
  return result;
}

function fitting(values: Readonly<Record<string, string | number | boolean>>): Fields {
  const fit = (value: string | number | boolean): unknown => {
    if (typeof value === "number" && Math.abs(value) > largestNumber) return String(value);
    return typeof value === "string" ? splitText(value, longestAttribute, "characters")[0] : value;
  };
  return withoutEmpty(Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fit(value)])));
}

/** For agents only, in the same transaction as the conversation: it is there before anybody opens it, and never twice. */
function summaryNote(request: StartRequest<LiveAgentOptions>): Fields | undefined {
  const content = splitText(request.summary ?? "", longestContent, "characters")[0];
  if (content === undefined) return undefined;
  const key = stableId("summary_", [request.handoverId], 36);
  return { content, message_type: "outgoing", private: true, source_id: key, content_attributes: { [markerAttribute]: key } };
}

function filled(values: readonly string[] | undefined): string[] {
  return (values ?? []).filter((value) => value.trim() !== "");
}

function splitKey(key: string): ["custom_attributes" | "additional_attributes", string] {
  const [object, name = ""] = key.split(".");
  return [object === "custom_attributes" ? "custom_attributes" : "additional_attributes", name];
}
