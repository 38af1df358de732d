import type { NewEntry, StoredEntry } from "../entry.ts";
import type { Texts } from "../texts.ts";

/** Id of the choice that takes a request back. */
const cancelChoice = "cancel";

/** What the entry `queued` shows when the desk has accepted: the text, the button, both or nothing, as they are set. */
export function acceptedContent({ accepted, cancelButton }: Texts): Pick<NewEntry, "text" | "choices"> {
  return {
    ...(accepted === "" ? {} : { text: accepted }),
    ...(cancelButton === "" ? {} : { choices: [{ id: cancelChoice, title: cancelButton }] }),
  };
}

/** The handover that a press on a choice of this entry takes back; nothing where it is any other choice. */
export function cancelledBy(entry: StoredEntry, choice: string): string | undefined {
  return entry.kind === "handover" && entry.source === "runtime" && choice === cancelChoice ? entry.handover : undefined;
}
