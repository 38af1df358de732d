// @ts-check
// What the page says about a handover where the server sent no words of its own.
import { isKnownNumber, toWaitWords } from "./time-words.js";

/** @import { Entry, QueueInfo } from "./chat-types.d.ts" */

/** @type {Readonly<Record<string, string>>} */
const endWords = {
  completed: "The conversation with the agent has ended.",
  cancelled: "You are no longer waiting for an agent.",
  abandoned: "The conversation was closed because nobody had written for a while.",
  unavailable: "Nobody is available right now.",
  "timed-out": "No agent was free in time. Please try again later.",
  failed: "We could not connect you to an agent. Please try again.",
};

/** @param {Entry} entry @param {string | undefined} agentName */
export function toHandoverWords(entry, agentName) {
  if (entry.text) return entry.text;
  if (entry.status === "requested") return "Looking for somebody who can help you ...";
  if (entry.status === "queued") return "You are in the queue. An agent will be with you as soon as one is free.";
  if (entry.status === "active") return agentName ? `You are now talking to ${agentName}.` : "You are now talking to an agent.";
  if (entry.status !== "ended") return undefined;
  if (entry.reason === "completed" && agentName) return `The conversation with ${agentName} has ended.`;
  return endWords[entry.reason ?? ""] ?? "The conversation with the agent has ended.";
}

/** @param {Entry} entry @param {string | undefined} name */
export function toNoticeWords(entry, name) {
  if (entry.text) return entry.text;
  if (entry.event === "agent-joined") return `${name ?? "An agent"} joined the conversation.`;
  if (entry.event === "agent-left") return `${name ?? "The agent"} left the conversation.`;
  if (entry.event === "transferred") return name ? `You are being transferred to ${name}.` : "You are being transferred.";
  if (entry.event === "survey-offered") return "You are invited to rate this conversation.";
  return undefined;
}

/** @param {QueueInfo | undefined} queue */
export function toQueueWords(queue) {
  if (!queue) return "";
  if (queue.text) return queue.text;
  const words = [];
  if (isKnownNumber(queue.position)) words.push(`Position in the queue: ${String(queue.position)}`);
  if (isKnownNumber(queue.estimatedWaitMs)) words.push(`estimated wait: ${toWaitWords(queue.estimatedWaitMs)}`);
  const text = words.join(", ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
