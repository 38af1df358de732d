import { createHmac } from "node:crypto";
import type { LiveAgentSimulator } from "@handover/simulators";
import type { ConformanceBackend, ConformanceFile, ConformanceSignals } from "@handover/testkit";
import { expectDocumented } from "./request-schemas.ts";

/** The simulated Live Agent as the conformance suite sees it. With a secret it signs, as Chatwoot does. */
export function createSimulatorBackend(simulator: LiveAgentSimulator, secret?: string): ConformanceBackend {
  return {
    webhookProof: secret === undefined ? "url-secret" : "both",
    reset() {
      const requests = simulator.requests();
      simulator.reset();
      expectDocumented(requests);
    },
    setWebhookUrl: (url) => simulator.setWebhookUrl(url, secret),
    settle: () => simulator.webhooksIdle(),
    conversations: () =>
      simulator.conversations().map(({ id, status, messages }) => ({
        id,
        status,
        // What the product notes down of a change ("... set the priority to high") is nobody's line.
        messages: messages.filter(({ author }) => author !== "system").map(({ author, text, at }) => ({ author, text, at })),
      })),
    // Live Agent knows no acceptance: a person is assigned, and answers or not.
    agentAccepts: (id) => void simulator.accept(id),
    agentIsAssigned: (id) => void simulator.accept(id),
    agentSays: (id, text) => void simulator.say(id, { text }),
    agentCloses: (id) => void simulator.close(id),
    agentWritesNote: (id, text) => void simulator.note(id, { text }),
    agentTypes: (id, isTyping) => void simulator.type(id, { isTyping }),
    agentLeaves: (id) => void simulator.leave(id),
    agentTransfers: (id) => void simulator.transfer(id, { to: otherAgent(simulator, id) }),
    agentSendsFile: (id, file) => void simulator.say(id, { text: "", attachment: toUpload(file) }),
    agentSendsFiles: (id, text, files) => void simulator.say(id, { text, attachments: files.map(toUpload) }),
    systemSays: (id, text) => void simulator.post(id, { text, as: "automation" }),
    // Before 2.18 a survey has no webhook, before 1.20 no answer.
    ...(isOld(simulator) ? {} : { surveyIsOffered: (id) => void simulator.survey(id) }),
    // The technical user, the two people of the desk, and no team.
    unknownRouting: [
      { options: { assigneeId: "999999" }, known: ["1, 2, 3"] },
      { options: { teamId: "999999" }, known: ["there are none"] },
    ],
    refusedFiles: [{ file: { name: "tool.exe", type: "application/x-msdownload", bytes: Buffer.from("MZ") }, reason: "image/*" }],
    // So many messages of one conversation a minute are handed over line by line.
    transcriptLines: 150,
    notesAtDesk: (id) => simulator.conversation(id).notes.map(({ text }) => text),
    signalsAtDesk: (id) => signalsOf(simulator, id),
    filesAtDesk: (id) => filesOf(simulator, id),
    setAgentsOnline: (count) => void simulator.setAgents({ online: count }),
    // Cognigy's Live Agent has no way to open a conversation again.
    ...(simulator.profile === "live-agent"
      ? { queueIs: (queue) => void simulator.setQueue(queue) }
      : { agentReopens: (id) => reopen(simulator, id) }),
    ...(secret === undefined ? {} : { signWebhook: (body) => sign(body, secret), signWebhookAt: (body, atMs) => sign(body, secret, atMs) }),
  };
}

function otherAgent(simulator: LiveAgentSimulator, id: string): string {
  const { agent } = simulator.conversation(id);
  const other = simulator.overview().agents.find(({ name, isOnline }) => isOnline && name !== agent);
  if (!other) throw new Error("The simulator has no second agent at work.");
  return other.name;
}

/** A line of ours that was under way when it was closed may have opened it already. */
function reopen(simulator: LiveAgentSimulator, id: string): void {
  if (simulator.conversation(id).status === "closed") simulator.reopen(id);
}

function isOld({ profile }: LiveAgentSimulator): boolean {
  return profile === "1.19" || profile === "2.16";
}

const toUpload = ({ name, type, bytes }: ConformanceFile) => ({ name, type, content: bytes });

/** The desk shows who types now, notes, and what the survey was answered with. */
function signalsOf(simulator: LiveAgentSimulator, id: string): ConformanceSignals {
  const { notes, survey } = simulator.conversation(id);
  const texts = notes.map(({ text }) => text);
  const typing = simulator
    .requests()
    .filter(({ path }) => path.endsWith(`/conversations/${id}/toggle_typing`))
    .map(({ body }) => (body as { typing_status?: string }).typing_status === "on");
  return {
    ...(isOld(simulator) ? {} : { typing }),
    presence: texts.filter((text) => /^User (joined|left) the conversation$/.test(text)).map((text) => text.includes("joined")),
    ...(survey ? { surveyAnswers: [[survey.rating]] } : {}),
  };
}

async function filesOf(simulator: LiveAgentSimulator, id: string): Promise<ConformanceFile[]> {
  const attachments = simulator.conversation(id).messages.flatMap(({ author, attachments: own = [] }) => (author === "agent" ? [] : own));
  return Promise.all(attachments.map(async ({ name, type, url = "" }) => ({ name, type, bytes: await fetchLate(url) })));
}

/** The desk's links answer 404 for a moment. */
async function fetchLate(url: string): Promise<Uint8Array> {
  for (let tries = 0; tries < 5; tries += 1) {
    const answer = await fetch(url);
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
  }
  throw new Error("The desk does not have the file.");
}

function sign(body: Uint8Array, secret: string, atMs = Date.now()): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(atMs / 1000));
  const signature = createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex");
  return { "x-chatwoot-timestamp": timestamp, "x-chatwoot-signature": `sha256=${signature}` };
}
