import { randomBytes } from "node:crypto";
import { WebhookRefusedError, type RawRequest, type ReceivedWebhook } from "@handover/core";
import { startLoopbackServer } from "./loopback-server.ts";

/** Takes the vendor's webhooks as a host would. */
export interface WebhookReceiver {
  /** With its secret. */
  readonly url: string;
  readonly secret: string;
  /** All requests that came, as the provider gets them. */
  readonly requests: RawRequest[];
  /** While true, webhooks are answered 200 and lost. */
  isLosing: boolean;
  close(): Promise<void>;
}

/** Starts a receiver that hands each request to `receive`. */
export async function startWebhookReceiver(
  providerName: string,
  receive: (request: RawRequest) => Promise<ReceivedWebhook>,
): Promise<WebhookReceiver> {
  const secret = randomBytes(16).toString("hex");
  const path = `/handover/${providerName}/conformance`;
  const server = await startLoopbackServer(async (incoming, response) => {
    const request: RawRequest = {
      method: incoming.method,
      path,
      query: "",
      headers: incoming.headers,
      body: new Uint8Array(incoming.body),
      hasValidSecret: new URL(incoming.url, "http://receiver").pathname === `${path}/${secret}`,
    };
    receiver.requests.push(request);
    if (receiver.isLosing) return void response.writeHead(200).end();
    try {
      const { response: answer = { status: 200 } } = await receive(request);
      response.writeHead(answer.status, answer.headers).end(answer.body);
    } catch (error) {
      response.writeHead(WebhookRefusedError.isInstance(error) ? error.status : 500).end();
    }
  });
  const receiver: WebhookReceiver = {
    url: `${server.origin}${path}/${secret}`,
    secret,
    requests: [],
    isLosing: false,
    close: server.close,
  };
  return receiver;
}
