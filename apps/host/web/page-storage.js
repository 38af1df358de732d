// @ts-check
// localStorage, or a stand-in that lasts as long as the page where the browser forbids it.

/** @returns {import("./chat-types.d.ts").KeyValueStorage} */
export function openPageStorage() {
  try {
    const probe = "handover:probe";
    localStorage.setItem(probe, "1");
    localStorage.removeItem(probe);
    return localStorage;
  } catch {
    return createMemoryStorage();
  }
}

/** @returns {import("./chat-types.d.ts").KeyValueStorage} */
export function createMemoryStorage() {
  /** @type {Map<string, string>} */
  const values = new Map();
  return {
    get length() {
      return values.size;
    },
    key: (index) => [...values.keys()][index] ?? null,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}
