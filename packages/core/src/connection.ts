import type { AttachmentContent, Call, StartCall } from "./call.ts";
import type { Translation, VendorDelivery, Wake } from "./delivery.ts";
import type { Agent, DeliveryStatus, HandoverEvent, QueueInfo } from "./event.ts";
import type { EndActor, EndReason, Handover, Reference, User } from "./handover.ts";
import type { Json } from "./json.ts";
import type { Attachment, Message } from "./message.ts";
import type { SurveyAnswers } from "./survey.ts";
import type { Started, StartRequest } from "./start.ts";
import type { RawRequest, ReceivedWebhook } from "./webhook.ts";

/** What one vendor call sends: a whole message or a part of one. Made once by `planMessage`, then frozen in the store. */
export interface MessagePart {
  readonly message: Message;
  /** Whatever the provider worked out while planning. */
  readonly data?: Json;
}

/** A part whose send had no clear outcome. */
export interface SentPart {
  readonly part: MessagePart;
  /** The `call.idempotencyKey` under which it was sent. */
  readonly idempotencyKey: string;
  /** When it was first tried, in Unix milliseconds. */
  readonly firstAttemptAtMs: number;
}

/** What was missed, and where to go on from. */
export interface CaughtUp {
  readonly deliveries: readonly VendorDelivery[];
  /** Stored together with the deliveries and handed to the next call. */
  readonly cursor: Json;
  /** True when there is more to fetch at once. */
  readonly hasMore: boolean;
  /** For vendors without webhooks: when to ask again. */
  readonly pollAfterMs?: number;
}

/** Whether somebody would take a handover now. "Cannot tell" is an answer of its own. */
export interface Availability {
  readonly status: "available" | "unavailable" | "unknown";
  /** How many agents, when the vendor says so. */
  readonly agents?: number;
}

/** The queue as one handover sees it, and for how long that may be shown to others in the same place. */
export interface QueueStatus extends QueueInfo {
  readonly validForMs: number;
}

/** What the user's side did with messages of the desk. */
export interface DeliveryReport {
  readonly vendorMessageIds: readonly string[];
  /** The report is true for everything that the vendor sent up to this time (Unix milliseconds). */
  readonly upToMs: number;
  readonly status: DeliveryStatus;
  /** Why it failed: a short text for agents, without the user's words. */
  readonly reason?: string;
}

/** One finding of `checkConnection`, in one line that names the cure. */
export interface ConnectionFinding {
  readonly level: "ok" | "warning" | "error";
  /** Upper snake case, stable. */
  readonly code: string;
  readonly message: string;
}

/** The end that a vendor is asked for: why, and who wants it. A desk that can show that the customer left shows that. */
export interface RequestedEnd {
  readonly reason: EndReason;
  readonly actor: EndActor;
}

/**
 * How many calls an account's vendor takes. The runtime keeps to it over all instances, and lets users' messages go first, then
 * ends; comparisons and polls get what is left.
 */
export interface RateLimit {
  /** Requests to the vendor's API. */
  readonly calls: number;
  /** In how many milliseconds. */
  readonly perMs: number;
  /** How many requests one call of a method is as a rule. Default: 1 for each. */
  readonly costs?: Readonly<Partial<Record<keyof HandoverConnection, number>>>;
}

/** What changed about a handover while it runs. */
export interface HandoverChange<Options = unknown> {
  readonly user?: User;
  readonly options?: Options;
}

/**
 * One configured account of one vendor. Made by `HandoverProvider.connect`, used by the runtime for many handovers at once.
 *
 * **An ability is a method that is there.** Only `start` is required; a vendor that cannot do something leaves the method
 * out, and the runtime and the conformance suite go by that.
 *
 * For every method: it keeps nothing between calls but what may be lost; it does not retry, wait or schedule; it throws a
 * `HandoverError` whose `effect` says what must stop, whose `isRetryable` says whether a repeat can help and whose `outcome`
 * says whether the vendor may have done it all the same. Anything else it throws counts as a retryable error of unknown
 * outcome. After `close` nothing may be called.
 */
export interface HandoverConnection<Options = unknown, State = unknown> {
  /** Scope of every vendor id and reference: the same for two connections of the same account, `"https://desk.example|7"`. */
  readonly accountKey: string;

  /** What the vendor allows, as it documents it. Left out: calls are not counted. Operators may set another one. */
  readonly rateLimit?: RateLimit;

  /**
   * Puts the user in the desk's queue, with everything that routing needs.
   *
   * Called by the runtime for a handover that was requested, one call at a time per handover; again with `resume` after a
   * crash or an error. References known before a vendor call are check-pointed before it, progress after each step that must
   * not be repeated. Never creates a second conversation when it cannot tell whether the first one exists: it throws with
   * `outcome: "unknown"`, and the runtime asks `findStarted`. Resolves when the desk has accepted, not when an agent answers.
   *
   * @throws UnavailableError when nobody can take it; `effect: "handover"` when repeating is no use.
   */
  start(request: StartRequest<Options>, call: StartCall): Promise<Started<State>>;

  /**
   * Splits, maps and falls back: what the desk gets for one message. Pure and fast; never throws for a message it does not
   * understand but falls back to text. Called once per message, the result is stored. An empty list says that the desk
   * cannot show the message, and the sender is told. Without this method the message is one part.
   */
  planMessage?(handover: Handover<Options, State>, message: Message): readonly MessagePart[];

  /**
   * Sends one part: one message at the vendor, whatever calls that takes. Called in order, one at a time per handover, between `start` and `end`; transcript
   * entries that `start` did not deliver come this way too. A repeat has the same `idempotencyKey` and a higher `attempt`.
   *
   * @throws ConversationGoneError when the vendor says that the conversation is over.
   */
  sendMessage?(handover: Handover<Options, State>, part: MessagePart, call: Call): Promise<{ readonly vendorMessageId?: string }>;

  /**
   * Authenticates the raw bytes and cuts the body into deliveries. Called for each request on the connection's webhook URL,
   * concurrently, on any instance. Reads no state and decides nothing about handovers: a delivery of an unknown conversation
   * is a delivery like any other. Events that it does not know become no delivery.
   *
   * @throws WebhookRefusedError when the request is not authentic (401), malformed (400), too large (413) or cannot be
   * checked now (503). Nothing of it is stored then.
   */
  receiveWebhook?(request: RawRequest, call: Call): Promise<ReceivedWebhook>;

  /**
   * Says what a delivery means for a handover. Pure: no input or output, no clock, no randomness. Called serially per
   * handover in the order of the inbox, again with the same arguments after a crash, and also after the end. Unknown events
   * give no events and a word in `ignored`; it does not throw for them.
   */
  translate?(handover: Handover<Options, State>, delivery: VendorDelivery | Wake): Translation<State>;

  /**
   * Ends the conversation at the vendor, and leaves its queue. Called once our last message is out; again after an error and
   * when the vendor opens the conversation again, so ending what is over is a success. `requested`: an `ended` event follows.
   * Nothing is sent afterwards.
   */
  end?(handover: Handover<Options, State>, end: RequestedEnd, call: Call): Promise<"ended" | "requested">;

  /**
   * Looks for what a `start` without a clear outcome may have made. Called after such a start, before anything is tried
   * again. `absent` only when it is sure; whatever it cannot prove is `unknown`. When a delivery that carries one of our
   * references turns up meanwhile, `start` is called again with all references of that delivery in `resume`.
   */
  findStarted?(request: StartRequest<Options>, call: StartCall): Promise<Started<State> | "absent" | "unknown">;

  /**
   * Looks for a part whose send had no clear outcome, by our own marker and never by its text alone. Called before the part
   * is sent again. `absent` only when it is sure.
   */
  findSentMessage?(
    handover: Handover<Options, State>,
    sent: SentPart,
    call: Call,
  ): Promise<{ readonly vendorMessageId?: string } | "absent" | "unknown">;

  /**
   * Asks the vendor what happened since the cursor (`undefined` at first: since the start). Called at start-up, after
   * downtime, on a slow timer, before the end, on `pull`, and as the only source where there are no webhooks. Delivery ids
   * are those that the webhook would have had. May return what is known already; an overlap is better than a gap.
   *
   * @throws ConversationGoneError when the vendor no longer has the conversation.
   */
  catchUp?(handover: Handover<Options, State>, cursor: Json | undefined, call: Call): Promise<CaughtUp>;

  /** Names the conversations of the account that changed since a time: one call instead of one `catchUp` per handover. */
  findChanged?(sinceMs: number, call: Call): Promise<readonly Reference[]>;

  /** Says whether a handover with these options would find somebody. Called before a start and for clients, cached. */
  checkAvailability?(options: Options, call: Call): Promise<Availability>;

  /** Gives the queue as several waiting handovers see it, by handover id. Called on the runtime's interval, batched. */
  getQueueStatuses?(handovers: readonly Handover<Options, State>[], call: Call): Promise<ReadonlyMap<string, QueueStatus>>;

  /** Tells the desk what became of its messages. Best effort: errors are counted, not repeated. */
  reportDelivery?(handover: Handover<Options, State>, report: DeliveryReport, call: Call): Promise<void>;

  /**
   * Checks the settings against the vendor, one finding per fact, without changing anything there. Called by `handover check`
   * and by operators. Never throws for a wrong setting: that is a finding.
   */
  checkConnection?(call: Call): Promise<readonly ConnectionFinding[]>;

  /** Shows the user typing to the agent. Best effort, throttled by the runtime, dropped when late. */
  setTyping?(handover: Handover<Options, State>, isTyping: boolean, call: Call): Promise<void>;

  /** Tells the desk that the user went away or came back. Called after a grace time, once per change. */
  setUserPresence?(handover: Handover<Options, State>, isPresent: boolean, call: Call): Promise<void>;

  /** Hands in a survey's answers. Also called after the end, while the survey is open. */
  submitSurvey?(handover: Handover<Options, State>, answers: SurveyAnswers, call: Call): Promise<void>;

  /** Changes user data or options of a handover that runs. */
  updateHandover?(handover: Handover<Options, State>, change: HandoverChange<Options>, call: Call): Promise<void>;

  /** Learns the name and picture of an agent whose events carry only an id. Cached by the runtime. */
  getAgentProfile?(agentId: string, call: Call): Promise<Agent>;

  /**
   * Fetches a file that the desk sent. Called soon after the message came, to store it, and before that when somebody opens it; not
   * again once it is stored. `attachment` is what `translate` gave. The content is read while the call lasts, up to the runtime's own
   * limit of bytes; `sizeBytes` is 0 where the vendor does not say. Runs beside the messages: an error of effect `connection` stops the
   * connection only when it says `retryAfterMs`. Credentials go to the vendor's own API only, not to where it redirects or links to. Without this method
   * the runtime fetches `attachment.url`, where there is one.
   *
   * @throws HandoverError a retryable one is repeated for as long as `connectionRetryMs`; `ATTACHMENT_NOT_FOUND`, and a
   * ProviderApiError with status 404, for `messageRetryMs`, because a vendor may show a message before its file; others not at all
   */
  downloadAttachment?(handover: Handover<Options, State>, attachment: Attachment, call: Call): Promise<AttachmentContent>;

  /**
   * Reads an event in a user's text, for desks that speak through the user's channel (LivePerson's
   * `__agent_escalation_failed__`). Asked for the running handover and for the one that ended last. Pure. The text is then
   * neither shown nor sent.
   */
  recognizeUserMessage?(handover: Handover<Options, State>, message: Message): HandoverEvent | undefined;

  /** Learns what does not change while the process runs (own user id, server version). Called once before the first use. */
  prepare?(call: Call): Promise<void>;

  /** Frees what the connection holds. Nothing is called afterwards. */
  close?(): Promise<void>;
}
