/** What is said of a file about which nothing is known. */
const unknownType = "application/octet-stream";

const wellFormed = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

/** The first bytes of the pictures that a browser may show as they are. */
const pictures: Readonly<Record<string, (start: Buffer) => boolean>> = {
  "image/png": (start) => start.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])),
  "image/jpeg": (start) => start.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])),
  "image/gif": (start) => /^GIF8[79]a/.test(start.toString("latin1")),
  "image/webp": (start) => /^RIFF[^]{4}WEBP/.test(start.toString("latin1")),
};

/** How many bytes of a file `checkedType` looks at. */
export const sniffedBytes = 16;

/** Types that a browser may show in the page of the host: pictures that are what they say. */
export const harmlessTypes: readonly string[] = Object.keys(pictures);

/** A media type in lower case and without parameters; `application/octet-stream` for what is none. */
export function cleanMediaType(type: unknown): string {
  const name = typeof type === "string" ? (type.slice(0, 1_000).split(";")[0] ?? "").trim().toLowerCase() : "";
  return wellFormed.test(name) ? (name === "image/jpg" ? "image/jpeg" : name) : unknownType;
}

/** The type that a file is kept under: what says that it is a picture, and is none, is of unknown type. */
export function checkedType(type: string, start: Uint8Array): string {
  const isIt = pictures[type];
  return !isIt || isIt(Buffer.from(start)) ? type : unknownType;
}
