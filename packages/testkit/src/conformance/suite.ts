import type { HandoverConnection, HandoverProvider, Json } from "@handover/core";
import type { AbilityName } from "../abilities.ts";
import type { ConformanceBackend } from "./conformance-backend.ts";
import type { Driver } from "./driver.ts";
import type { StoreFactory } from "./runtime-driver.ts";

/** What the conformance suite is run against. */
export interface ConformanceOptions {
  /** Stands in front of the titles. */
  readonly name: string;
  readonly provider: HandoverProvider;
  /** Settings of one connection, as an operator writes them. */
  readonly settings: unknown;
  /** The provider's options for each handover. */
  readonly options?: Readonly<Record<string, Json>>;
  readonly backend: ConformanceBackend;
  /** The optional methods that the connection has: one that is missing fails the suite, and so does one that is not listed. */
  readonly abilities: readonly AbilityName[];
  /**
   * Makes a store that keeps its data at a path; `createSqliteStore` of `@handover/store-sqlite` fits. With it the suite has a
   * second part, in which the provider works behind the real runtime.
   */
  readonly createStore?: StoreFactory;
}

/** One test: it fails by throwing. */
export interface ConformanceTest {
  readonly title: string;
  run(): Promise<void>;
}

/** Tests that belong together. */
export interface ConformanceGroup {
  readonly title: string;
  readonly tests: readonly ConformanceTest[];
}

/** What a group looks at to decide which tests there are. */
export interface Suite {
  readonly options: ConformanceOptions;
  readonly backend: ConformanceBackend;
  /** A connection that is never used: its methods say what there is to test. */
  readonly shape: HandoverConnection;
  has(...names: AbilityName[]): boolean;
  /** True when what happens at the desk can be learned at all. */
  readonly hears: boolean;
}

/** A test that gets a fresh driver on an emptied contact centre. */
export interface DrivenTest {
  readonly title: string;
  run(driver: Driver): Promise<void>;
}

/** Writes a test down. */
export function test(title: string, run: (driver: Driver) => Promise<void>): DrivenTest {
  return { title, run };
}

/** The tests when the condition holds, else none. */
export function when(condition: unknown, ...tests: readonly DrivenTest[]): readonly DrivenTest[] {
  return condition ? tests : [];
}
