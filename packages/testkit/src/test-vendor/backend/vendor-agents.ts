import type { VendorDesk } from "./vendor-desk.ts";
import { VendorApiRefusal } from "./vendor-error.ts";
import type { VendorAgent, VendorConversation, VendorFile } from "./vendor-records.ts";

/** A file that somebody at the desk has at hand. */
type NewFile = Omit<VendorFile, "id">;

/** What people at the desk do. Each takes the id of a conversation. */
export interface VendorPeople {
  assign(id: string, agent?: string): void;
  accept(id: string, agent?: string): void;
  say(id: string, text: string, agent?: string): string;
  sendFile(id: string, file: NewFile): void;
  sendFiles(id: string, text: string, files: readonly NewFile[]): void;
  edit(id: string, messageId: string, text: string): void;
  remove(id: string, messageId: string): void;
  note(id: string, text: string): void;
  automate(id: string, text: string): void;
  type(id: string, isTyping: boolean): void;
  read(id: string): void;
  transfer(id: string, to: { readonly agent?: string; readonly queue?: string }): void;
  leave(id: string): void;
  close(id: string, by?: string, reason?: string): void;
  reopen(id: string): void;
  offerSurvey(id: string): void;
}

/** Makes the people of a desk. */
export function createVendorPeople(desk: VendorDesk): VendorPeople {
  const find = (agent = "agent-1"): VendorAgent => {
    const person = desk.agents.get(agent);
    if (!person) throw new VendorApiRefusal(404, "agent_not_found");
    return person;
  };
  const present = (conversation: VendorConversation): string => [...conversation.agents].at(-1) ?? "agent-1";
  const messageOf = (conversation: VendorConversation, messageId: string) => {
    const message = conversation.messages.find(({ id }) => id === messageId);
    if (!message) throw new VendorApiRefusal(404, "message_not_found");
    return message;
  };

  function sendFiles(id: string, text: string, files: readonly NewFile[]): void {
    const conversation = desk.get(id);
    desk.addMessage(conversation, { author: "agent", text, agent: present(conversation), files: files.map((file) => desk.addFile(file)) });
  }

  return {
    assign(id, agent) {
      const conversation = desk.get(id);
      if (conversation.status === "queued") conversation.status = "assigned";
      desk.report(conversation, "agent.assigned", { agent: personView(find(agent)) });
    },
    accept(id, agent) {
      const conversation = desk.get(id);
      join(conversation, find(agent));
      desk.report(conversation, "agent.accepted", { agent: personView(find(agent)) });
    },
    say(id, text, agent) {
      const conversation = desk.get(id);
      const person = find(agent ?? present(conversation));
      join(conversation, person);
      return desk.addMessage(conversation, { author: "agent", text, agent: person.id }).id;
    },
    sendFile: (id, file) => sendFiles(id, "", [file]),
    sendFiles,
    edit(id, messageId, text) {
      const conversation = desk.get(id);
      messageOf(conversation, messageId).text = text;
      desk.report(conversation, "message.updated", { message: { id: messageId, text } });
    },
    remove(id, messageId) {
      const conversation = desk.get(id);
      messageOf(conversation, messageId).isDeleted = true;
      desk.report(conversation, "message.deleted", { message: { id: messageId } });
    },
    note(id, text) {
      const conversation = desk.get(id);
      desk.addMessage(conversation, { author: "agent", text, agent: present(conversation), audience: "team" });
    },
    automate(id, text) {
      desk.addMessage(desk.get(id), { author: "automation", text });
    },
    type(id, isTyping) {
      const conversation = desk.get(id);
      desk.report(conversation, "typing", { agent: personView(find(present(conversation))), is_typing: isTyping }, false);
    },
    read(id) {
      const conversation = desk.get(id);
      desk.report(conversation, "receipt", { status: "read", up_to: new Date(conversation.changedAt).toISOString() });
    },
    transfer(id, to) {
      const conversation = desk.get(id);
      conversation.agents.clear();
      if (to.agent) conversation.agents.add(find(to.agent).id);
      else conversation.status = "queued";
      const target = to.agent ? { agent: personView(find(to.agent)) } : { queue: { name: to.queue ?? "default" } };
      desk.report(conversation, "conversation.transferred", target);
    },
    leave(id) {
      const conversation = desk.get(id);
      const person = find(present(conversation));
      conversation.agents.delete(person.id);
      if (conversation.agents.size === 0) conversation.status = "queued";
      desk.report(conversation, "agent.left", { agent: personView(person), agents_left: conversation.agents.size });
    },
    close(id, by = "agent", reason = "resolved") {
      const conversation = desk.get(id);
      if (conversation.status === "closed") throw new VendorApiRefusal(409, "conversation_closed");
      conversation.status = "closed";
      desk.report(conversation, "conversation.closed", { by, reason });
    },
    reopen(id) {
      const conversation = desk.get(id);
      conversation.status = "queued";
      desk.report(conversation, "conversation.reopened", {});
    },
    offerSurvey(id) {
      desk.report(desk.get(id), "survey.offered", {
        survey: { id: "survey-1", questions: [{ id: "score", text: "How did we do?", type: "rating", minimum: 1, maximum: 5 }] },
      });
    },
  };
}

function join(conversation: VendorConversation, person: VendorAgent): void {
  conversation.agents.add(person.id);
  if (conversation.status !== "closed") conversation.status = "active";
}

function personView(agent: VendorAgent): Readonly<Record<string, unknown>> {
  return { id: agent.id, name: agent.name };
}
