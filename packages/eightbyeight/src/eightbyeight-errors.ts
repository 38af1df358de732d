import { ConversationGoneError, HandoverError, ProviderApiError } from "@handover/core";
import type { ErrorDescription, HttpResponse } from "@handover/provider-utils";

/** What an error body of 8x8 tells, whatever its shape; section 5 of the reference page. Only codes and ids are ever shown. */
interface ErrorFacts {
  readonly codes: readonly string[];
  /** All texts, for comparing with known ones. */
  readonly words: string;
  readonly referenceId?: string;
}

/** `errors` is a list of objects, a list of texts, or one object; a gateway in front answers with a `fault`; or there is no JSON. */
export function readError(response: Pick<HttpResponse, "body" | "text">): ErrorFacts {
  const body = asObject(response.body);
  const fault = asObject(body["fault"]);
  const entries = [...listOf(body["errors"]), ...listOf(body["validations"])];
  const codes = [...entries.map((entry) => asObject(entry)["code"]), asObject(fault["detail"])["errorcode"]].filter(isCode);
  const texts = [body["message"], fault["faultstring"], ...entries.map((entry) => (isText(entry) ? entry : asObject(entry)["message"]))];
  const referenceId = body["referenceId"];
  return {
    codes,
    words: [...codes, ...texts.filter(isText)].join(" "),
    ...(isText(referenceId) && /^[\w.:-]{1,100}$/.test(referenceId) ? { referenceId } : {}),
  };
}

interface Meaning {
  readonly status: number;
  readonly pattern?: RegExp;
  readonly code: string;
  readonly message: string;
}

/** The first that fits. */
const meanings: readonly Meaning[] = [
  {
    status: 401,
    code: "API_KEY_REFUSED",
    message:
      "The API Key is missing, wrong or revoked: copy the key (not its secret, and not that of another product) from Admin Console > API Keys. A new key takes some minutes.",
  },
  {
    status: 403,
    pattern: /product|subscri|not (attached|entitled)|scope/i,
    code: "API_PRODUCT_MISSING",
    message: "The API Key does not have the API product Chat Gateway: attach it to the app in Admin Console > API Keys.",
  },
  { status: 403, pattern: /tenant/i, code: "TENANT_REFUSED", message: "" },
  {
    status: 403,
    code: "PERMISSION_DENIED",
    message:
      "Set 8x8-Tenant (Configuration Manager > Home > Profile > Tenant Name) where there are several tenants, and attach the API product Chat Gateway to the key.",
  },
  {
    status: 400,
    pattern: /invalid_queue/i,
    code: "QUEUE_NOT_FOUND",
    message:
      "There is no queue with this 8x8 Queue Id: take the column Queue ID of the channel in Configuration Manager > Channels > Chat API. It is no API key and no name.",
  },
  {
    status: 400,
    pattern: /invalid_channel\b/i,
    code: "CHANNEL_NOT_FOUND",
    message: "There is no channel with this 8x8 Channel Id: take the column ID in Configuration Manager > Channels > Chat API.",
  },
  { status: 413, code: "TOO_LARGE", message: "It is too large for 8x8." },
];

/** Says what an answer means, in our own words, with 8x8's reference id for its support. */
export function createErrorDescription(tenant: string | undefined): (response: HttpResponse) => ErrorDescription {
  return (response) => {
    const { codes, words, referenceId } = readError(response);
    const meaning = meanings.find(({ status, pattern }) => status === response.status && (pattern?.test(words) ?? true));
    const message = meaning?.code === "TENANT_REFUSED" ? tenantMessage(tenant) : (meaning?.message ?? unknownMessage(response, codes));
    const withReference = nameReference(message, referenceId);
    return {
      ...(meaning ? { code: meaning.code } : {}),
      ...(codes[0] === undefined ? {} : { vendorCode: codes[0] }),
      ...(referenceId === undefined ? {} : { vendorReferenceId: referenceId }),
      ...(withReference === "" ? {} : { message: withReference }),
    };
  };
}

/** What 8x8's support asks for. */
function nameReference(message: string, referenceId: string | undefined): string {
  return referenceId === undefined ? message : `${message} 8x8's reference: ${referenceId}.`.trim();
}

function tenantMessage(tenant: string | undefined): string {
  const where = "Configuration Manager for Contact Center > Home > Profile > Tenant Name";
  return tenant === undefined
    ? `The customer has several tenants: set 8x8-Tenant (${where}).`
    : `8x8-Tenant does not belong to this API Key: copy it from ${where}, exactly as it is written there.`;
}

function unknownMessage({ body, text }: HttpResponse, codes: readonly string[]): string {
  if (codes.length > 0) return `8x8's code: ${codes.join(", ")}.`;
  if (text !== undefined) return "The answer is no JSON: perhaps a proxy answered instead of 8x8. Check Base URL.";
  return body === undefined ? "The answer is empty." : "";
}

/** 404 is documented; 409 and 410 would mean the same (inferred). For calls about one conversation. */
export function whenGone(response: HttpResponse): Error | undefined {
  const { status } = response;
  if (status !== 404 && status !== 409 && status !== 410) return undefined;
  const { referenceId } = readError(response);
  return new ConversationGoneError({
    message: nameReference("8x8 does not have this conversation any more, or it is over.", referenceId),
    status,
    ...(referenceId === undefined ? {} : { vendorReferenceId: referenceId }),
  });
}

/** What is wrong with the set-up, and not with one message, ends a start for good. */
export function asStartError(error: unknown): unknown {
  if (!ProviderApiError.isInstance(error) || error.status === undefined) return error;
  const isFinal = error.status >= 400 && error.status < 500 && ![401, 403, 408, 429].includes(error.status);
  if (!isFinal) return error;
  return new ProviderApiError({
    code: error.status === 404 ? "CHANNEL_NOT_FOUND" : error.code,
    message:
      error.status === 404
        ? `${error.message} Check 8x8 Channel Id and 8x8 Queue Id, and 8x8-Tenant where there are several.`
        : error.message,
    status: error.status,
    effect: "handover",
    ...(error.vendorCode === undefined ? {} : { vendorCode: error.vendorCode }),
    ...(error.vendorReferenceId === undefined ? {} : { vendorReferenceId: error.vendorReferenceId }),
    cause: error,
  });
}

/** The error of a call that this conversation cannot have. */
export function unsupported(message: string): HandoverError {
  return new HandoverError({ code: "UNSUPPORTED", message });
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : [value];
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A word, never a sentence: that may name somebody. */
function isCode(value: unknown): value is string {
  return isText(value) && /^[\w.-]{1,80}$/.test(value);
}
