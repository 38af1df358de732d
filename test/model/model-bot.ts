import type { Bot, BotAnswer, BotTurn } from "@handover/runtime";
import { lateMs } from "./model-vendor.ts";
import type { BotFault } from "./plan.ts";
import type { Stage } from "./stage.ts";
import type { Story } from "./story.ts";

/** A turn that the bot was given. */
export interface GivenTurn {
  readonly id: string;
  /** Id of the user's message. */
  readonly message?: string;
  readonly event?: string;
  /** Ids of messages that the desk never got. */
  readonly undelivered: readonly string[];
}

/** The bot as one process asks it. @param parts.onTurn sees each turn that it is given */
export function createModelBot(
  process: string,
  parts: { readonly stage: Stage; readonly story: Story; nextFault(): BotFault; onTurn(turn: GivenTurn): void },
): Bot {
  const { stage, story, nextFault, onTurn } = parts;
  return {
    name: "Bot",
    answer: (turn) =>
      new Promise((resolve, reject) => {
        stage.add(`network:${process}`, "bot-turn", () => {
          const fault = nextFault();
          story.tell(
            "bot",
            () => `is asked by ${process}: ${turn.message?.text ?? turn.event?.type ?? ""}${fault === "none" ? "" : ` (${fault})`}`,
          );
          onTurn(toGivenTurn(turn));
          if (fault === "hangs") return;
          const answer = () =>
            stage.add(process, "bot-answer", () => (fault === "fails" ? reject(new Error("bot")) : resolve(answerOf(turn))));
          if (fault === "slow") stage.after(`network:${process}`, lateMs, answer);
          else answer();
        });
      }),
  };
}

function toGivenTurn({ id, message, event }: BotTurn): GivenTurn {
  return {
    id,
    ...(message ? { message: message.id } : {}),
    ...(event ? { event: event.type } : {}),
    undelivered: (event?.undelivered ?? []).map((missed) => missed.id),
  };
}

/** Asks for a person when the user wants one, else repeats what it heard. */
function answerOf({ message, event }: BotTurn): BotAnswer {
  if (event) return { messages: [{ text: `back after ${event.type}` }] };
  const text = message?.text ?? "";
  return text.includes("person") ? { handover: {}, messages: [{ text: "one moment" }] } : { messages: [{ text: `echo of ${text}` }] };
}
