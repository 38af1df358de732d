// Every line that somebody writes says in which conversation, by whom, and the how-manieth it is.

const asking = "a person please";

export function userLine(conversation: string, number: number): string {
  return `${conversation} u ${number}`;
}

/** A line at which the bot asks for a person. */
export function askingLine(conversation: string, number: number): string {
  return `${userLine(conversation, number)} ${asking}`;
}

export function isAsking(text: string): boolean {
  return text.endsWith(asking);
}

export function agentLine(conversation: string, number: number): string {
  return `${conversation} a ${number}`;
}

/** What the bot answers to a line. */
export function botLine(text: string): string {
  return `re ${text}`;
}

/** The conversation that a line belongs to. */
export function conversationOf(text: string): string | undefined {
  return /\b(c\d+) [ua] \d+/.exec(text)?.[1];
}
