/** What the control API refuses: bad input (400), an unknown conversation (404), something that the vendor does not allow now (409). */
export class ControlError extends Error {
  readonly status: 400 | 403 | 404 | 409;
  readonly code: string;

  constructor(status: 400 | 403 | 404 | 409, code: string, message: string) {
    super(message);
    this.name = "ControlError";
    this.status = status;
    this.code = code;
  }
}

export function badInput(message: string): ControlError {
  return new ControlError(400, "BAD_INPUT", message);
}

export function notPossible(message: string): ControlError {
  return new ControlError(409, "NOT_POSSIBLE", message);
}
