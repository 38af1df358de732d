import { isWake, type Handover, type HandoverConnection, type HandoverProvider, type StartRequest } from "@handover/core";
import type { LaneName } from "./lanes.ts";
import type { Observer } from "./observer.ts";

/** A provider whose calls the observer sees; each does exactly what it did before. */
export function observeProvider(provider: HandoverProvider, observer: Observer): HandoverProvider {
  return { ...provider, connect: (settings, context) => observeConnection(provider.connect(settings, context), observer) };
}

function observeConnection(connection: HandoverConnection, observer: Observer): HandoverConnection {
  const { start, findStarted, sendMessage, findSentMessage, catchUp, end, translate } = connection;
  const about = <Result>(handover: Handover, name: string, lane: LaneName, run: () => Promise<Result>): Promise<Result> =>
    observer.call(lane, keyOf(handover), name, run);

  return {
    ...connection,
    start: (request, call) => observer.call("vendor-out", keyOf(request), "start", () => start(request, call)),
    ...(findStarted
      ? { findStarted: (request, call) => observer.call("vendor-out", keyOf(request), "findStarted", () => findStarted(request, call)) }
      : {}),
    ...(sendMessage
      ? { sendMessage: (handover, part, call) => about(handover, "sendMessage", "vendor-out", () => sendMessage(handover, part, call)) }
      : {}),
    ...(findSentMessage
      ? {
          findSentMessage: (handover, sent, call) =>
            about(handover, "findSentMessage", "vendor-out", () => findSentMessage(handover, sent, call)),
        }
      : {}),
    ...(catchUp ? { catchUp: (handover, cursor, call) => about(handover, "catchUp", "heal", () => catchUp(handover, cursor, call)) } : {}),
    ...(end
      ? {
          end: (handover, reason, call) =>
            about(handover, "end", handover.status === "ended" ? "leave" : "vendor-out", () => end(handover, reason, call)),
        }
      : {}),
    ...(translate
      ? {
          translate(handover, delivery) {
            if (isWake(delivery) || !delivery.isEphemeral) observer.works("vendor-in", keyOf(handover));
            return translate(handover, delivery);
          },
        }
      : {}),
  };
}

function keyOf({ endpoint, conversation }: Pick<Handover | StartRequest, "endpoint" | "conversation">): string {
  return `${endpoint}/${encodeURIComponent(conversation)}`;
}
