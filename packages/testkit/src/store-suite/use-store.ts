import type { Store } from "@handover/runtime";
import { afterEach, beforeEach } from "vitest";

/** A store of one test. */
export interface OpenedStore {
  /** Open and empty. */
  readonly store: Store;
  /** Closes the store and opens one on the same data, as a restart does. */
  reopen(): Promise<Store>;
  /** Closes whatever is open, and removes the data. */
  cleanup(): Promise<void>;
  /** A second instance on the same data at the same time, for stores that are shared. `cleanup` closes it too. */
  another?(): Promise<Store>;
}

/** What the suite needs to know about a store. */
export interface StoreSuiteOptions {
  /** Shown in the titles. */
  readonly name: string;
  open(): Promise<OpenedStore>;
}

/** The store of the test that is running. */
export interface StoreUnderTest {
  /** The one that was opened last. */
  readonly store: Store;
  reopen(): Promise<Store>;
  /** Two instances on the same data where the store can do that, else the same one twice. */
  two(): Promise<readonly [Store, Store]>;
}

/** Opens a store before each test of the surrounding `describe`, and cleans up after it. */
export function useStore({ open }: StoreSuiteOptions): StoreUnderTest {
  let opened: OpenedStore | undefined;
  let store: Store | undefined;

  beforeEach(async () => {
    opened = await open();
    store = opened.store;
  });
  afterEach(async () => {
    await opened?.cleanup();
    opened = undefined;
  });

  function current(): OpenedStore {
    if (!opened) throw new Error("The store is used outside a test.");
    return opened;
  }

  return {
    get store() {
      return store ?? current().store;
    },
    async reopen() {
      store = await current().reopen();
      return store;
    },
    async two() {
      const first = store ?? current().store;
      return [first, (await current().another?.()) ?? first];
    },
  };
}
