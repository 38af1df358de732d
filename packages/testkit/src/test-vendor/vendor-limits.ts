/** Limits of the test vendor's API. */
export const vendorLimits = {
  /** Unicode code points of one message. */
  textCharacters: 1000,
  /** Lines that a create call takes. */
  transcriptLines: 50,
  /** Events in one answer of the listing. */
  pageSize: 20,
  /** Skills that somebody at the desk has. Another one is taken, and ignored. */
  skills: ["german", "billing", "returns"],
} as const;
