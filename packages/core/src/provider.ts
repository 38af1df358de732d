import type { ZodType } from "zod";
import type { Call } from "./call.ts";
import type { HandoverConnection } from "./connection.ts";
import type { ProviderContext } from "./context.ts";
import type { Json } from "./json.ts";

/** The call of a provisioning run: it goes on where an earlier run stopped. */
export interface ProvisioningCall extends Call {
  /** What the last `checkpoint` of an unfinished run saved. */
  readonly resume?: Json;
  /** Resolves once the progress is durable. */
  checkpoint(progress: Json): Promise<void>;
}

/** What a provisioning run made. */
export interface Provisioned {
  /** Settings to lay under those of the operator's file. */
  readonly settings: Readonly<Record<string, Json>>;
  /** One line each, for the operator. */
  readonly notes: readonly string[];
}

/** Sets up what a connection needs at the vendor. Run by `handover provision`, under a lock, as often as somebody likes. */
export interface Provisioning {
  /** What it wants to know besides the settings. */
  readonly input: ZodType;
  /** Idempotent and resumable after a crash at any step. @throws HandoverError saying which step was refused and why. */
  run(input: unknown, context: ProviderContext, call: ProvisioningCall): Promise<Provisioned>;
}

/** How a provider's state is stored and read again. */
export interface StateFormat {
  /** Written with every state. Raise it when the shape changes. */
  readonly version: number;
  /** A schema for each version that can still be read; its output is the newest shape. */
  readonly schemas: Readonly<Record<number, ZodType>>;
}

/**
 * A contact centre behind one interface: a stateless translator. It turns our calls into the vendor's and the vendor's
 * deliveries into our events. No sessions, timers, queues or retries: the runtime owns those. What must be remembered about
 * one handover is the state that `start` and `translate` return.
 *
 * A provider is a plain object, the default export of its package.
 */
export interface HandoverProvider<Settings = unknown, Options = unknown, State = unknown> {
  /** The contract this object keeps. A host that does not know the version does not load it. */
  readonly specificationVersion: "v1";
  /** Kebab-case and unique: `"live-agent"`. */
  readonly name: string;
  /** As people call the product: `"Cognigy Live Agent"`. */
  readonly title: string;
  /**
   * Settings of one connection, strict. Labels and help texts are the vendor's words (`.meta({ title, description })`);
   * secrets carry `.meta({ secret: true })`.
   */
  readonly settings: ZodType<Settings>;
  /** What a single handover may choose: inbox, queue, skills, priority. Strict, every key optional. */
  readonly options: ZodType<Options>;
  readonly state: StateFormat;
  /**
   * Makes a connection of checked settings. Called once per connection and process; opens nothing and does not wait.
   * @throws InvalidConfigError for what the schema cannot say.
   */
  connect(settings: Settings, context: ProviderContext): HandoverConnection<Options, State>;
  readonly provisioning?: Provisioning;
}
