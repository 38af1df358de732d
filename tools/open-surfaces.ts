/** A command or route that is fixed already and answers with a clear error until it is built. */
export interface OpenSurface {
  readonly surface: string;
  /** What it will do. */
  readonly purpose: string;
}

/** Surfaces that are announced and not there yet. What gets built leaves the list. */
export const openSurfaces: readonly OpenSurface[] = [
  { surface: "`handover list`", purpose: "Shows the handovers of the store." },
  { surface: "`handover show`", purpose: "Shows one handover with its attempts and its journal." },
  { surface: "`handover retry`", purpose: "Tries the delivery that holds a lane again." },
  { surface: "`handover skip`", purpose: "Gives up the delivery that holds a lane." },
  { surface: "`handover end`", purpose: "Ends a handover at the desk and for the user." },
  { surface: "`handover erase`", purpose: "Erases what is stored of a user." },
  { surface: "`POST .../attachments`, `GET .../attachments/{id}`", purpose: "Takes files from users and serves files safely." },
  { surface: "`POST .../survey`", purpose: "Hands in the answers to a survey of the desk." },
  { surface: "`GET /endpoints/{token}/availability`", purpose: "Says whether somebody would take a handover now." },
  { surface: "`event` `inactive` of the HTTP bot", purpose: "Tells the bot that its user has been silent for a while." },
  { surface: "`POST .../read`", purpose: "Tells the desk what the user has read, and serves receipts." },
];
