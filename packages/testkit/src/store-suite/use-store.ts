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
  /** A store on the same data that is not open yet, for stores that are not shared. `cleanup` closes it too. */
  rival?(): Store;
  /**
   * For stores whose leases end by time: to the store it seems that so much more time has passed, whatever its own clock says.
   * Without it leases have to end when the store is opened again.
   */
  passTime?(ms: number): Promise<void>;
  /**
   * Looks through everything that is kept, as somebody does who reads the tables or the files behind the store's back. Without it
   * only what the store itself gives back is looked through.
   */
  contains?(text: string): Promise<boolean>;
}

/** Data that a store finds when it is opened: of an earlier release, or of a later one. */
export interface StoreData {
  /** A store on the data, not open yet. `cleanup` closes it too. */
  create(): Store;
  /** Makes the data look as a newer release leaves it. No store is open. @returns how to make it what it was */
  makeNewer(): Promise<() => Promise<void>>;
  /** Begins the upgrade as `open` does, and dies before it is over, without any chance to clean up. */
  dieInUpgrade(): Promise<void>;
  /** Closes whatever is open, and removes the data. */
  cleanup(): Promise<void>;
}

/** What the suite needs to know about a store. */
export interface StoreSuiteOptions {
  /** Shown in the titles. */
  readonly name: string;
  open(): Promise<OpenedStore>;
  /**
   * Data of each earlier schema, as a store of that release keeps what `fillStore` writes. Keep it beside the tests as it was then.
   */
  readonly earlier?: readonly {
    /** Shown in the titles. */
    readonly name: string;
    prepare(): Promise<StoreData>;
  }[];
}

/** The store of the test that is running. */
export interface StoreUnderTest {
  /** The one that was opened last. */
  readonly store: Store;
  reopen(): Promise<Store>;
  /** Two instances on the same data where the store can do that, else the same one twice. */
  two(): Promise<readonly [Store, Store]>;
  /** Lets time pass, as far as the store has a clock. @returns a time of the runtime's clock that is so much later */
  passTime(ms: number): Promise<number>;
  /** Lets leases run out: by time, or where they last, by a restart. @returns the store to go on with */
  endLeases(leaseMs: number): Promise<Store>;
  /** True when the text is anywhere in what is kept; never where that cannot be looked at. */
  contains(text: string): Promise<boolean>;
  readonly opened: OpenedStore;
}

/** Opens a store before each test of the surrounding `describe`, and cleans up after it. */
export function useStore({ open }: StoreSuiteOptions): StoreUnderTest {
  let opened: OpenedStore | undefined;
  let store: Store | undefined;

  let passedMs = 0;

  beforeEach(async () => {
    opened = await open();
    store = opened.store;
    passedMs = 0;
  });
  afterEach(async () => {
    await opened?.cleanup();
    opened = undefined;
  });

  function current(): OpenedStore {
    if (!opened) throw new Error("The store is used outside a test.");
    return opened;
  }

  async function passTime(ms: number): Promise<number> {
    await current().passTime?.(ms);
    passedMs += ms;
    return Date.now() + passedMs;
  }

  async function reopen(): Promise<Store> {
    store = await current().reopen();
    return store;
  }

  return {
    get store() {
      return store ?? current().store;
    },
    get opened() {
      return current();
    },
    reopen,
    passTime,
    async endLeases(leaseMs) {
      await passTime(leaseMs + 1_000);
      return current().passTime ? (store ?? current().store) : reopen();
    },
    contains: async (text) => (await current().contains?.(text)) ?? false,
    async two() {
      const first = store ?? current().store;
      return [first, (await current().another?.()) ?? first];
    },
  };
}
