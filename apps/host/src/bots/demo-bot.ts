import type { Bot } from "@handover/runtime";

const askingForPeople = /\b(agent|representative|help|human)\b/i;

/** Answers every message, and asks for a person when the user does. */
export function createDemoBot(): Bot {
  return {
    name: "Demo bot",
    events: [],
    answer: async ({ message }) => {
      if (!message) return {};
      // What the user reads then is the endpoint's text for an accepted request.
      if (askingForPeople.test(message.text ?? "")) return { handover: {} };
      return { messages: [{ text: `I am only a demo bot. Write "agent" and I will bring in a person.` }] };
    },
  };
}
