// @ts-check

/**
 * @typedef {{ id: string, author: "user" | "bot" | "agent" | "system", name?: string, text: string, at: string, isFailed?: true,
 *   isRead?: true, contentType?: string,
 *   attachments?: { id: string, name: string, type: string, sizeBytes: number, url?: string }[] }} Message
 * @typedef {{ id: string, name?: string, text: string, at: string }} Note
 * @typedef {{ id: string, status: "queued" | "active" | "closed", agent?: string, user: string, createdAt: string, messages: Message[], notes: Note[],
 *   isUserTyping?: true, survey?: { rating: number, feedback?: string } }} Conversation
 * @typedef {{ id: string, name: string, isOnline: boolean }} Agent
 * @typedef {{ vendor: string, title: string, profile: string, abilities: string[], agents: Agent[],
 *   queues?: { id: string, name: string }[], webhookTarget?: string,
 *   lastWebhook?: { outcome: "delivered" | "failed" | "dropped", status?: number, error?: string } }} Overview
 */

/**
 * The contact centres that this simulator has.
 * @returns {Promise<{ vendor: string, title: string }[]>}
 */
export async function listVendors() {
  const response = await fetch("control");
  if (!response.ok) throw new Error(`The simulator answered ${response.status}.`);
  return response.json();
}

/**
 * The control API of one vendor.
 * @param {string} vendor
 */
export function createApi(vendor) {
  const base = `control/${encodeURIComponent(vendor)}`;

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} body
   */
  async function call(method, path, body) {
    const response = await fetch(`${base}/${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.ok) return;
    const problem = /** @type {{ message?: string }} */ (await response.json().catch(() => ({})));
    throw new Error(problem.message ?? `The simulator answered ${response.status}.`);
  }

  return {
    /**
     * Does something with a conversation: accept, say, type, note, transfer, leave, close, reopen, survey.
     * @param {string} id
     * @param {string} action
     * @param {object} [body]
     */
    act: (id, action, body = {}) => call("POST", `conversations/${encodeURIComponent(id)}/${action}`, body),

    /** @param {number} online */
    setAgents: (online) => call("PUT", "agents", { online }),

    /**
     * Follows the simulator; the browser connects again by itself, each time beginning with a snapshot.
     * @param {{
     *   onSnapshot(overview: Overview, conversations: Conversation[]): void,
     *   onConversation(conversation: Conversation): void,
     *   onOverview(overview: Overview): void,
     *   onLost(): void,
     * }} handlers
     */
    follow(handlers) {
      const events = new EventSource(`${base}/events`);
      events.addEventListener("snapshot", (event) => {
        const { overview, conversations } = JSON.parse(event.data);
        handlers.onSnapshot(overview, conversations);
      });
      events.addEventListener("conversation", (event) => handlers.onConversation(JSON.parse(event.data)));
      events.addEventListener("overview", (event) => handlers.onOverview(JSON.parse(event.data)));
      events.addEventListener("error", () => handlers.onLost());
    },
  };
}
