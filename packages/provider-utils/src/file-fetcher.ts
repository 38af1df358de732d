import { lookup } from "node:dns";
import { isIP } from "node:net";
import type { AttachmentContent } from "@handover/core";
import { HandoverError, ProviderApiError } from "@handover/core";
import { Agent, request, type Dispatcher } from "undici";
import { isPublicAddress } from "./public-address.ts";

/** How files behind links of others are fetched. */
export interface FileFetcherOptions {
  /**
   * Which IP addresses links may lead to; `hostname` is the name that was resolved, or the address itself. Default: public ones; more
   * only where no stranger can send links, or for a host that the operator configured.
   */
  readonly allowsAddress?: (address: string, hostname: string) => boolean;
  /** Which links are followed at all, redirects too. Default: all of `https` and `http`. */
  readonly allowsUrl?: (url: URL) => boolean;
  /** Default: 5. */
  readonly redirects?: number;
}

/** Opens files behind links that came from elsewhere. */
export interface FileFetcher {
  /**
   * Opens a file. Sends no credentials. Each host name is resolved once and the addresses are checked before the connection is made,
   * also for every redirect, so that no link leads into the network of this machine.
   *
   * @throws HandoverError `LINK_REFUSED` for a link that must not be followed
   * @throws ProviderApiError `FILE_NOT_FETCHED` for an error status, a 404 among them, or no answer
   */
  fetch(url: string, call: { readonly signal: AbortSignal }): Promise<AttachmentContent>;
  close(): Promise<void>;
}

const headersTimeoutMs = 15_000;

/** Makes a client for links of others, with connections of its own. */
export function createFileFetcher(options: FileFetcherOptions = {}): FileFetcher {
  const { allowsAddress = isPublicAddress, allowsUrl = () => true, redirects = 5 } = options;
  const agent = new Agent({
    connections: 16,
    pipelining: 1,
    allowH2: false,
    headersTimeout: headersTimeoutMs,
    connect: { timeout: 10_000, lookup: createLookup(allowsAddress) },
  });

  async function open(
    url: URL,
    signal: AbortSignal,
    left: number,
  ): Promise<{ readonly url: URL; readonly answer: Dispatcher.ResponseData }> {
    checkUrl(url, allowsAddress);
    if (!allowsUrl(url)) throw refused("its host is none that files may come from");
    const answer = await ask(agent, url, signal);
    const location = answer.headers["location"];
    if (answer.statusCode < 300 || answer.statusCode > 399 || typeof location !== "string") return { url, answer };
    await answer.body.dump();
    if (left === 0 || !URL.canParse(location, url.href)) throw refused("it redirects too often, or to nowhere");
    const target = new URL(location, url);
    if (url.protocol === "https:" && target.protocol === "http:") throw refused("it redirects from https to http");
    return open(target, signal, left - 1);
  }

  return {
    async fetch(link, { signal }) {
      if (!URL.canParse(link)) throw refused("it is no URL");
      const { url, answer } = await open(new URL(link), signal, redirects);
      if (answer.statusCode !== 200) {
        await answer.body.dump();
        throw notFetched(`it was answered with status ${answer.statusCode}`, { status: answer.statusCode });
      }
      return toContent(url, answer);
    },
    close: () => agent.close(),
  };
}

/** Node's own look-up, but for addresses that must not be connected to. */
function createLookup(isAllowed: (address: string, hostname: string) => boolean): typeof lookup {
  const guarded = (hostname: string, options: object, callback: (error: Error | null, ...found: unknown[]) => void): void => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error);
      const allowed = addresses.filter(({ address }) => isAllowed(address, hostname));
      const [first] = allowed;
      if (!first) return callback(refused("its host has a private address"));
      if ((options as { all?: boolean }).all) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
  return guarded as unknown as typeof lookup;
}

function checkUrl(url: URL, isAllowed: (address: string, hostname: string) => boolean): void {
  if (url.protocol !== "https:" && url.protocol !== "http:") throw refused("it is neither https nor http");
  if (url.username || url.password) throw refused("it has a user name or password in it");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  // A name is checked when it is resolved.
  if (isIP(host) !== 0 && !isAllowed(host, host)) throw refused("it leads to a private address");
}

async function ask(agent: Agent, url: URL, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  try {
    return await request(url, { method: "GET", headers: { "user-agent": "handover", accept: "*/*" }, dispatcher: agent, signal });
  } catch (cause) {
    if (HandoverError.isInstance(cause)) throw cause;
    throw notFetched("its host cannot be reached, or did not answer in time", { cause });
  }
}

function toContent(url: URL, { headers, body }: Dispatcher.ResponseData): AttachmentContent {
  const length = Number(headers["content-length"]);
  const type = headers["content-type"];
  return {
    name: nameIn(url),
    type: typeof type === "string" ? type : "application/octet-stream",
    sizeBytes: Number.isSafeInteger(length) && length > 0 ? length : 0,
    stream: ReadableStream.from(body as AsyncIterable<Uint8Array>),
  };
}

function nameIn({ pathname }: URL): string {
  const last = pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last) || "file";
  } catch {
    return last;
  }
}

/** Without the link: it may be a secret. */
function refused(why: string): HandoverError {
  return new HandoverError({ code: "LINK_REFUSED", message: `A link to a file was not followed: ${why}.` });
}

function notFetched(why: string, { status, cause }: { readonly status?: number; readonly cause?: unknown }): ProviderApiError {
  const isRetryable = status === undefined || status === 429 || status >= 500;
  return new ProviderApiError({
    code: "FILE_NOT_FETCHED",
    message: `A file behind a link could not be fetched: ${why}.`,
    isRetryable,
    ...(status === undefined ? {} : { status }),
    ...(cause === undefined ? {} : { cause }),
  });
}
