import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { BotTurn } from "@handover/runtime";

/** What an HTTP bot was asked, and how. */
export interface BotRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly turn: BotTurn;
}

/** A bot behind a URL, as a host app would run it. */
export interface BotServer {
  readonly url: string;
  readonly requests: readonly BotRequest[];
  close(): Promise<void>;
}

/** Starts a bot; what `answer` gives is sent as JSON, a text as it is, a number as the status of an answer with a text in it. */
export async function startBotServer(
  answer: (turn: BotTurn) => object | string | { readonly status: number; readonly text: string },
): Promise<BotServer> {
  const requests: BotRequest[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk) => (body += String(chunk)));
    request.once("end", () => {
      const turn = JSON.parse(body) as BotTurn;
      requests.push({ url: request.url ?? "", headers: request.headers, body, turn });
      const given = answer(turn);
      if (typeof given === "object" && "status" in given) response.writeHead(given.status).end(given.text);
      else response.end(typeof given === "string" ? given : JSON.stringify(given));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/turn`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
