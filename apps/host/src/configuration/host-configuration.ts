import type { HandoverProvider, Json } from "@handover/core";
import type { ConnectionOptions } from "@handover/runtime";
import type { AttachmentsConfiguration } from "./attachments-schema.ts";
import type { talkKeys } from "./talk-schema.ts";
import type { EndpointFile, LimitsConfiguration, ListenConfiguration, TimingConfiguration } from "./configuration-schema.ts";

/** Where the value of a setting comes from. The file wins over what provisioning made. */
export interface SettingOrigin {
  /** `baseUrl`, `proxy.host`. */
  readonly setting: string;
  readonly from: "file" | "environment" | "provisioned";
  /** Names of environment variables. */
  readonly variables: readonly string[];
  /** Absent for secrets and for what comes from the environment. */
  readonly value?: string;
}

/** One connection as it will be used. */
export interface ConnectionConfiguration extends ConnectionOptions {
  readonly name: string;
  readonly origins: readonly SettingOrigin[];
}

/** One endpoint as it will be used. */
export interface EndpointConfiguration extends Omit<EndpointFile, "handover"> {
  readonly handover?: Pick<EndpointHandoverFile, keyof typeof talkKeys> & {
    readonly connections: readonly string[];
    readonly options?: Readonly<Record<string, Json>> | undefined;
    readonly texts?: EndpointHandoverTexts | undefined;
    readonly acceptTimeoutSeconds?: number | undefined;
    readonly queue?: EndpointHandoverFile["queue"];
    readonly repeatHandoverMessage?: boolean | undefined;
    readonly availability?: EndpointHandoverFile["availability"];
  };
}

type EndpointHandoverFile = NonNullable<EndpointFile["handover"]>;
type EndpointHandoverTexts = NonNullable<EndpointHandoverFile["texts"]>;

/** Where the conversations are kept. */
export type StoreConfiguration =
  | {
      readonly kind: "sqlite";
      /** Absolute path of the database file. */
      readonly path: string;
    }
  | {
      readonly kind: "postgres";
      /** Holds a password. */
      readonly url: string;
      readonly listenUrl?: string | undefined;
      readonly schema?: string | undefined;
      readonly poolSize?: number | undefined;
      /** Absolute path of the folder for what belongs to this machine: the command line's way to the hosts that run here. */
      readonly dataFolder: string;
    };

/** A checked configuration: everything the host needs to start. */
export interface HostConfiguration {
  readonly file: string;
  readonly listen: Omit<ListenConfiguration, "port"> & { readonly port: number };
  readonly publicUrl?: string;
  readonly store: StoreConfiguration;
  readonly providers: readonly HandoverProvider[];
  readonly connections: readonly ConnectionConfiguration[];
  readonly endpoints: readonly EndpointConfiguration[];
  readonly limits: LimitsConfiguration;
  readonly timing: TimingConfiguration;
  readonly attachments: AttachmentsConfiguration;
  readonly metricsToken?: string;
  readonly operatorToken?: string;
}

/** Settings that provisioning made, by connection. */
export type Overlays = Readonly<Record<string, Readonly<Record<string, Json>>>>;
