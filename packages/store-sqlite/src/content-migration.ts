/**
 * The step that brings files and erasure. `content_from` is the time of the oldest content of a conversation, 0 where nobody has
 * looked yet, NULL where there is none; entries up to `erased_through` have been erased; `must_erase` waits until no handover is open.
 */
export const contentMigration = `
  ALTER TABLE conversations ADD COLUMN user_id TEXT;
  ALTER TABLE conversations ADD COLUMN content_from INTEGER;
  ALTER TABLE conversations ADD COLUMN erased_through INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE conversations ADD COLUMN must_erase INTEGER NOT NULL DEFAULT 0;
  UPDATE conversations SET
    content_from = 0,
    -- As it stands there: the form of toColumnText.
    user_id = substr(json -> '$.user.id', 2, length(json -> '$.user.id') - 2);
  CREATE INDEX conversations_user ON conversations (user_id, key) WHERE user_id IS NOT NULL;
  CREATE INDEX conversations_content ON conversations (content_from) WHERE content_from IS NOT NULL;
  CREATE INDEX conversations_to_erase ON conversations (id) WHERE must_erase = 1;

  CREATE TABLE blobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    size INTEGER NOT NULL DEFAULT 0,
    is_complete INTEGER NOT NULL DEFAULT 0,
    json TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX blobs_known ON blobs (conversation, id) WHERE is_complete = 1;
  CREATE INDEX blobs_of_conversation ON blobs (conversation, created_at);
  CREATE INDEX blobs_unfinished ON blobs (number) WHERE is_complete = 0;

  CREATE TABLE blob_pieces (
    blob INTEGER NOT NULL REFERENCES blobs (number) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (blob, position)
  ) STRICT;
`;
