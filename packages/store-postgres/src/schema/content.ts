/**
 * The step that brings amendments, files and erasure. `content_from` is the time of the oldest content of a conversation, 0 where
 * nobody has looked yet, NULL where there is none; entries up to `erased_through` have been erased; `must_erase` waits until no
 * handover is open.
 *
 * Columns that are added have no default that would rewrite the table. `commit_v1` is replaced under its name: it takes what it took
 * before, so an instance of the release before goes on with it, and what that one writes can be erased like everything else.
 */
export const content = (schema: string): string => `
  ALTER TABLE ${schema}.conversations
    ADD COLUMN content_from bigint DEFAULT 0,
    ADD COLUMN erased_through bigint NOT NULL DEFAULT 0,
    ADD COLUMN must_erase boolean NOT NULL DEFAULT false;
  ALTER TABLE ${schema}.conversations ALTER COLUMN content_from DROP DEFAULT;
  ALTER TABLE ${schema}.entries
    ADD COLUMN delivery smallint,
    ADD COLUMN is_possibly_duplicated boolean;

  -- A record in which operators may look something up: they stumble over a NUL or half of a surrogate pair. See toPlainText.
  CREATE FUNCTION ${schema}.plain_v1(record json) RETURNS json LANGUAGE sql IMMUTABLE AS $$
    SELECT replace(replace(replace(replace(record::text,
      chr(127), chr(127) || '0'), '\\\\', chr(127) || '1'), '\\"', chr(127) || '2'), '\\', chr(127) || '3')::json
  $$;

  -- The user's id, hashed: ids may be of any length.
  CREATE FUNCTION ${schema}.user_of_v1(user_record json) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to((${schema}.plain_v1(user_record) -> 'id')::text, 'UTF8'))
  $$;
  CREATE INDEX conversations_user ON ${schema}.conversations (${schema}.user_of_v1(user_record), key) WHERE user_record IS NOT NULL;
  CREATE INDEX conversations_content ON ${schema}.conversations (content_from) WHERE content_from IS NOT NULL;
  CREATE INDEX conversations_to_erase ON ${schema}.conversations (id) WHERE must_erase;

  CREATE TABLE ${schema}.blobs (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation bigint NOT NULL REFERENCES ${schema}.conversations (id),
    id text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    size bigint NOT NULL DEFAULT 0,
    is_complete boolean NOT NULL DEFAULT false,
    record json NOT NULL
  );
  CREATE UNIQUE INDEX blobs_known ON ${schema}.blobs (conversation, id) WHERE is_complete;
  CREATE INDEX blobs_of_conversation ON ${schema}.blobs (conversation, created_at);
  CREATE INDEX blobs_unfinished ON ${schema}.blobs (begun_at) WHERE NOT is_complete;

  CREATE TABLE ${schema}.blob_pieces (
    blob bigint NOT NULL REFERENCES ${schema}.blobs (number) ON DELETE CASCADE,
    position integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (blob, position)
  );
  ALTER TABLE ${schema}.blob_pieces ALTER COLUMN bytes SET STORAGE EXTERNAL;

  -- delivery: the rank of a state; a lower one never replaces a higher one.
  CREATE FUNCTION ${schema}.amend_v1(conversation_id bigint, amendments jsonb) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    item record;
  BEGIN
    FOR item IN SELECT * FROM jsonb_to_recordset(amendments) AS x(seq bigint, delivery smallint, is_possibly_duplicated boolean) LOOP
      UPDATE ${schema}.entries e SET
        delivery = greatest(e.delivery, item.delivery),
        is_possibly_duplicated = coalesce(item.is_possibly_duplicated, e.is_possibly_duplicated)
      WHERE e.conversation = conversation_id AND e.seq = item.seq;
    END LOOP;
  END $$;

  CREATE OR REPLACE FUNCTION ${schema}.commit_v1(request jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
  DECLARE
    opened record;
    own ${schema}.conversations;
    first_seq bigint;
    seqs bigint[] := '{}';
    received record;
    deliveries_added integer := 0;
    woken bigint[] := '{}';
    has_changed boolean := request ? 'update' OR request ? 'handovers' OR request ? 'parts';
    has_work boolean;
    touched text[] := '{}';
  BEGIN
    PERFORM ${schema}.lock_references_v1(request -> 'locks');
    IF request ? 'deliveries' THEN PERFORM ${schema}.lock_targets_v1(request -> 'deliveries', request ->> 'key'); END IF;
    SELECT * INTO opened FROM ${schema}.open_conversation_v1(request);
    IF opened.refusal IS NOT NULL THEN RETURN jsonb_build_object('status', opened.refusal); END IF;

    own := opened.own;
    first_seq := own.last_seq;
    IF request ? 'append' THEN
      SELECT a.last_seq, a.seqs INTO own.last_seq, seqs FROM ${schema}.append_v1(own.id, request -> 'append', own.last_seq) AS a;
      IF own.content_from IS NULL AND own.last_seq > first_seq THEN
        -- An instance of the release before does not say since when.
        UPDATE ${schema}.conversations SET content_from = coalesce((request ->> 'contentFrom')::bigint, 0) WHERE id = own.id;
      END IF;
    END IF;
    IF request ? 'amend' THEN PERFORM ${schema}.amend_v1(own.id, request -> 'amend'); END IF;
    IF request ? 'handovers' THEN PERFORM ${schema}.put_handovers_v1(own.id, request -> 'handovers'); END IF;
    IF request ? 'parts' THEN PERFORM ${schema}.put_parts_v1(own.id, request -> 'parts'); END IF;
    IF request ? 'references' THEN
      PERFORM ${schema}.put_addresses_v1(own.id, request -> 'references');
      woken := ${schema}.unpark_v1(request -> 'references');
    END IF;
    IF request ? 'deliveries' THEN
      SELECT * INTO received FROM ${schema}.put_deliveries_v1(request -> 'deliveries');
      deliveries_added := received.added + received.parked;
      woken := woken || received.woken;
    END IF;
    IF request ? 'consume' AND ${schema}.consume_v1(own.id, request -> 'consume') > 0 THEN has_changed := true; END IF;
    IF request ? 'journal' THEN PERFORM ${schema}.note_v1(request -> 'journal', request ->> 'key'); END IF;

    has_work := own.last_seq > first_seq OR request ? 'handovers' OR own.id = ANY (woken);
    IF has_changed THEN own.version := own.version + 1; END IF;
    IF has_changed OR has_work THEN PERFORM ${schema}.change_conversation_v1(own, request -> 'update', has_work); END IF;
    touched := ${schema}.wake_v1(array_remove(woken, own.id));
    IF has_changed OR has_work OR opened.is_new THEN touched := touched || coalesce(own.long_key, own.key); END IF;
    RETURN jsonb_build_object('status', 'committed', 'seqs', seqs, 'added', own.last_seq - first_seq,
      'version', own.version, 'deliveriesAdded', deliveries_added, 'touched', touched);
  END $$;

  -- Makes a file readable, unless another one with its id came first; then it goes. False: it was erased meanwhile.
  CREATE FUNCTION ${schema}.finish_blob_v1(blob bigint, bytes bigint) RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE
    own ${schema}.blobs;
  BEGIN
    SELECT * INTO own FROM ${schema}.blobs WHERE number = blob;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM 1 FROM ${schema}.conversations WHERE id = own.conversation FOR NO KEY UPDATE;
    PERFORM 1 FROM ${schema}.blobs WHERE conversation = own.conversation AND id = own.id AND is_complete;
    IF FOUND THEN
      DELETE FROM ${schema}.blobs WHERE number = blob;
      RETURN true;
    END IF;
    UPDATE ${schema}.blobs SET is_complete = true, size = bytes WHERE number = blob;
    IF NOT FOUND THEN RETURN false; END IF;
    UPDATE ${schema}.conversations SET content_from = least(content_from, own.created_at) WHERE id = own.conversation;
    RETURN true;
  END $$;

  -- Locks a conversation for a piece of an erasure that was worked out from this version of it. Says why it cannot be, or NULL.
  CREATE FUNCTION ${schema}.begin_erasure_v1(conversation_id bigint, expected bigint) RETURNS text LANGUAGE plpgsql AS $$
  DECLARE
    current_version bigint;
  BEGIN
    SELECT version INTO current_version FROM ${schema}.conversations WHERE id = conversation_id FOR NO KEY UPDATE;
    PERFORM 1 FROM ${schema}.handovers WHERE conversation = conversation_id AND is_open LIMIT 1;
    IF FOUND THEN RETURN 'waiting'; END IF;
    IF current_version <> expected THEN RETURN 'conflict'; END IF;
    RETURN NULL;
  END $$;

  -- A page of the log, and the parts that were made of it.
  CREATE FUNCTION ${schema}.erase_log_v1(request jsonb) RETURNS text LANGUAGE plpgsql AS $$
  DECLARE
    own bigint := request -> 'conversation';
    refusal text := ${schema}.begin_erasure_v1(own, (request -> 'version')::bigint);
  BEGIN
    IF refusal IS NOT NULL THEN RETURN refusal; END IF;
    UPDATE ${schema}.entries e SET record = x.record::json
    FROM jsonb_to_recordset(request -> 'entries') AS x(seq bigint, record text) WHERE e.conversation = own AND e.seq = x.seq;
    UPDATE ${schema}.parts p SET record = x.record::json
    FROM jsonb_to_recordset(request -> 'parts') AS x("position" bigint, record text) WHERE p.position = x.position;
    UPDATE ${schema}.conversations SET erased_through = (request -> 'through')::bigint, version = version + 1 WHERE id = own;
    RETURN 'erased';
  END $$;

  CREATE FUNCTION ${schema}.erase_journal_v1(items jsonb) RETURNS void LANGUAGE sql AS $$
    UPDATE ${schema}.journal j SET record = x.record::json
    FROM jsonb_to_recordset(items) AS x(number bigint, record text) WHERE j.number = x.number
  $$;

  -- What is not in the log. isEmpty: nothing of the conversation is left, so the user goes too.
  CREATE FUNCTION ${schema}.erase_rest_v1(request jsonb) RETURNS text LANGUAGE plpgsql AS $$
  DECLARE
    own bigint := request -> 'conversation';
    before_ms bigint := request -> 'beforeMs';
    is_empty boolean := request -> 'isEmpty';
    refusal text := ${schema}.begin_erasure_v1(own, (request -> 'version')::bigint);
    item record;
  BEGIN
    IF refusal IS NOT NULL THEN RETURN refusal; END IF;
    FOR item IN SELECT * FROM jsonb_to_recordset(request -> 'handovers') AS x(id text, record text) LOOP
      UPDATE ${schema}.handovers SET record = item.record::json WHERE id = item.id;
      DELETE FROM ${schema}.addresses WHERE handover = item.id;
    END LOOP;
    DELETE FROM ${schema}.inbox WHERE conversation = own AND received_at < before_ms AND delivery_id IS NULL;
    UPDATE ${schema}.inbox SET record = NULL WHERE conversation = own AND received_at < before_ms AND record IS NOT NULL;
    DELETE FROM ${schema}.blobs WHERE conversation = own AND created_at < before_ms;
    UPDATE ${schema}.conversations SET
      user_record = CASE WHEN is_empty THEN NULL ELSE user_record END,
      content_from = least((request ->> 'contentFrom')::bigint, (SELECT min(created_at) FROM ${schema}.blobs WHERE conversation = own)),
      must_erase = false,
      version = version + 1
    WHERE id = own;
    RETURN 'erased';
  END $$;
`;
