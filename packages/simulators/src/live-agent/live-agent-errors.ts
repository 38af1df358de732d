/** An answer that is not a success, with the vendor's exact body. A text body is sent as it is, anything else as JSON. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    super(`Live Agent answers ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.body = body;
  }
}

const htmlPage = (title: string): string =>
  `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;

export function notFound(): ApiError {
  return new ApiError(404, { error: "Resource could not be found" });
}

/** What the framework itself answers: unknown routes, and everything that a platform or public call does not find. */
export function railsNotFound(): ApiError {
  return new ApiError(404, { status: 404, error: "Not Found" });
}

export function notSignedIn(): ApiError {
  return new ApiError(401, { errors: ["You need to sign in or sign up before continuing."] });
}

export function unauthorized(error: string): ApiError {
  return new ApiError(401, { error });
}

/** Validation of a record: names the attributes. */
export function invalidRecord(problems: readonly { readonly attribute: string; readonly message: string }[]): ApiError {
  return new ApiError(422, {
    message: problems.map((problem) => problem.message).join(", "),
    attributes: problems.map((problem) => problem.attribute),
  });
}

export function unprocessable(error: string): ApiError {
  return new ApiError(422, { error });
}

/** Further shapes that the faults know: of a record that is not valid, and of the framework. */
export const errorBodies = ["validation", "rails"];

/** What an exception that nobody expected looks like from outside. */
export function serverError(): ApiError {
  return new ApiError(500, htmlPage("Internal Server Error"));
}

/** The answer of the fault `failRate`, in the shape this vendor, or the proxy before it, gives that status. */
export function faultAnswer(status: number, errorBody?: string): ApiError {
  if (errorBody === "empty") return new ApiError(status, "");
  if (errorBody === "rails") return new ApiError(status, { status, error: "Simulated Failure" });
  if (errorBody === "validation") {
    return new ApiError(status, { message: "Name is too long (maximum is 255 characters)", attributes: ["name"] });
  }
  if (errorBody === "html") return new ApiError(status, htmlPage(`${status} from the proxy`));
  if (status === 401) return unauthorized("Invalid Access Token");
  if (status === 402) return new ApiError(402, { error: "Account limit exceeded. Please upgrade to a higher plan" });
  if (status === 403) return new ApiError(403, { error: "API access is not enabled for this account" });
  if (status === 404) return notFound();
  if (status === 422) return unprocessable("Validation failed");
  if (status === 429) return new ApiError(429, "Retry later\n");
  if (status < 500) return new ApiError(status, { status, error: "Bad Request" });
  return new ApiError(status, htmlPage(status === 500 ? "Internal Server Error" : `${status} from the proxy`));
}
