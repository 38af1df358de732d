import type { StartRequest } from "@handover/core";
import { measureText, splitText, withoutEmpty } from "@handover/provider-utils";
import type { LiveAgentOptions, LiveAgentSettings } from "./live-agent-settings.ts";
import { openingNote } from "./live-agent-transcript.ts";
import { toWireId, type WireConversation } from "./live-agent-wire.ts";

type Fields = Record<string, unknown>;

/** Longer texts and larger numbers are answered with 422. Section 3.3 (d) of the reference page. */
const longestAttribute = 1500;
const largestNumber = 9_999_999_999;

/** The body of the create call: everything that routing needs is in it, nothing is set afterwards that could be too late. */
export function conversationFields(
  settings: LiveAgentSettings,
  request: StartRequest<LiveAgentOptions>,
  progress: { readonly sourceId: string; readonly contactId: string; readonly inboxId: string },
): Fields {
  return {
    inbox_id: toWireId(progress.inboxId),
    contact_id: toWireId(progress.contactId),
    source_id: progress.sourceId,
    status: "open",
    // Since 1.21; servers that do not know them are told afterwards.
    ...(request.options.assigneeId === undefined ? {} : { assignee_id: toWireId(request.options.assigneeId) }),
    ...(request.options.teamId === undefined ? {} : { team_id: toWireId(request.options.teamId) }),
    ...withoutEmpty(attributes(settings, request.options, progress.sourceId)),
    ...withoutEmpty({ message: openingNote(request) }),
  };
}

/** The session id that a create call of ours stored; `undefined` for conversations of others, and where it was lost. */
export function readSessionId(settings: LiveAgentSettings, conversation: WireConversation): string | undefined {
  const [object, name] = splitKey(settings.attributeKeys.sessionId);
  const value = conversation[object][name];
  return typeof value === "string" ? value : undefined;
}

/** Those that the API can set afterwards as well. */
export function customAttributesOf(settings: LiveAgentSettings, options: LiveAgentOptions, sourceId: string): Fields {
  return attributes(settings, options, sourceId).custom_attributes;
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

/** Keys of texts that are longer than the server takes. */
export function shortenedAttributes(options: LiveAgentOptions): string[] {
  const isLong = (value: unknown): boolean => typeof value === "string" && measureText(value, "characters") > longestAttribute;
  return Object.entries(options.customAttributes ?? {}).flatMap(([key, value]) => (isLong(value) ? [key] : []));
}

function fitting(values: Readonly<Record<string, string | number | boolean>>): Fields {
  const fit = (value: string | number | boolean): unknown => {
    if (typeof value === "number" && Math.abs(value) > largestNumber) return String(value);
    return typeof value === "string" ? splitText(value, longestAttribute, "characters")[0] : value;
  };
  return withoutEmpty(Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fit(value)])));
}

function filled(values: readonly string[] | undefined): string[] {
  return (values ?? []).filter((value) => value.trim() !== "");
}

function splitKey(key: string): ["custom_attributes" | "additional_attributes", string] {
  const [object, name = ""] = key.split(".");
  return [object === "custom_attributes" ? "custom_attributes" : "additional_attributes", name];
}
