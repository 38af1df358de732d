import { z } from "zod";

/** Who may load files with a script, and where links lead that bots and contact centres send. */
export const attachmentsSchema = z.strictObject({
  deskOrigins: z
    .array(
      z.string().refine((value) => URL.canParse(value) && new URL(value).origin === value, {
        error: 'must be an origin such as "https://desk.example.com": scheme, host and port, no path and no slash at the end',
      }),
    )
    .default([])
    .meta({ description: "Origins of agents' desks that load files from here." }),
  allowPrivateLinks: z
    .boolean()
    .default(false)
    .meta({ description: "Follows links to files into private networks. For development only." }),
});

/** Limits of the runtime on files; each has a default there. */
export const attachmentLimits = {
  attachmentBytes: z.int().min(1).max(1_073_741_824).optional().meta({ description: "Of one file." }),
  attachmentsPerMessage: z.int().min(1).max(20).optional(),
  attachmentsPerConversation: z.int().min(1).max(100_000).optional(),
  attachmentBytesPerConversation: z.int().min(1).optional().meta({ description: "Of all files of a conversation." }),
};

export type AttachmentsConfiguration = z.output<typeof attachmentsSchema>;
