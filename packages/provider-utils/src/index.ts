export { createHttpClient, parseBody } from "./http-client.ts";
export { statusError, unexpectedAnswerError } from "./http-errors.ts";
export type {
  ErrorDescription,
  HttpClient,
  HttpClientOptions,
  HttpHeaders,
  HttpRequest,
  HttpResponse,
  MultipartBody,
  MultipartFile,
} from "./http-types.ts";
export { pathOf } from "./http-path.ts";
export type { RequestPath } from "./http-path.ts";
export { readRetryAfter } from "./retry-after.ts";
export { computeHmac, safeEqual, verifyHmac } from "./signature.ts";
export type { HmacOptions } from "./signature.ts";
export { createTokenCache } from "./token-cache.ts";
export type { Token, TokenCache, TokenCacheOptions } from "./token-cache.ts";
export { measureText, splitText } from "./split-text.ts";
export type { TextUnit } from "./split-text.ts";
export { messageAsText } from "./message-text.ts";
export { transcriptAsText } from "./transcript-text.ts";
export type { TranscriptTextOptions } from "./transcript-text.ts";
export { withoutEmpty } from "./without-empty.ts";
export { stableId } from "./stable-id.ts";
export { attempt, isFailure, type Failure } from "./attempt.ts";
export { findBaseUrlProblem, isLoopbackHost } from "./base-url.ts";
export { openDownload } from "./open-download.ts";
export type { Download } from "./open-download.ts";
export { createFileFetcher } from "./file-fetcher.ts";
export type { FileFetcher, FileFetcherOptions } from "./file-fetcher.ts";
export { isPublicAddress } from "./public-address.ts";
