/** An answer of the test vendor's API that says no, in its own shape: `{ "error": { "code", "message" } }`. */
export class VendorApiRefusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(`The test vendor refused: ${code}.`);
    this.status = status;
    this.code = code;
  }
}
