/** Where a client finds a file: under the public URL, or without one the path on this host. */
export function attachmentUrl(
  publicUrl: string | undefined,
  { endpoint, conversation, id }: { readonly endpoint: string; readonly conversation: string; readonly id: string },
): string {
  const parts = ["endpoints", endpoint, "conversations", conversation, "attachments", id];
  return `${publicUrl ?? ""}/${parts.map(encodeURIComponent).join("/")}`;
}
