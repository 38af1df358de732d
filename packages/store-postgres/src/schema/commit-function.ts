/** The one write of a conversation, all of it or nothing, in one round trip. */
export const commitFunction = (schema: string): string => `
  -- Why a commit is refused, or NULL.
  CREATE FUNCTION ${schema}.refusal_v1(request jsonb, owner text, fence bigint, version bigint, last_seq bigint)
  RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
      WHEN request ? 'fence' AND (owner IS NULL OR fence <> (request ->> 'fence')::bigint) THEN 'fenced'
      WHEN request ? 'expectVersion' AND version <> (request ->> 'expectVersion')::bigint THEN 'conflict'
      WHEN request ? 'expectLastSeq' AND last_seq <> (request ->> 'expectLastSeq')::bigint THEN 'conflict'
    END
  $$;

  -- The row is locked before numbers are given, until the end of the transaction: so the order of numbers is the order of commits.
  CREATE FUNCTION ${schema}.append_v1(conversation_id bigint, entries jsonb, INOUT last_seq bigint, OUT seqs bigint[]) LANGUAGE plpgsql AS $$
  DECLARE
    item record;
    given bigint;
  BEGIN
    seqs := '{}';
    FOR item IN SELECT * FROM jsonb_to_recordset(entries) AS x(source text, id text, record text) LOOP
      INSERT INTO ${schema}.entries (conversation, seq, source, source_id, record)
      VALUES (conversation_id, last_seq + 1, item.source, item.id, item.record::json)
      ON CONFLICT (conversation, source, source_id) DO NOTHING;
      IF FOUND THEN
        last_seq := last_seq + 1;
        given := last_seq;
      ELSE
        SELECT seq INTO STRICT given FROM ${schema}.entries
        WHERE conversation = conversation_id AND source = item.source AND source_id = item.id;
      END IF;
      seqs := seqs || given;
    END LOOP;
  END $$;

  CREATE FUNCTION ${schema}.put_handovers_v1(conversation_id bigint, given jsonb) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    item record;
  BEGIN
    FOR item IN SELECT * FROM jsonb_to_recordset(given) AS x(id text, ordinal bigint, is_open boolean, record text) LOOP
      INSERT INTO ${schema}.handovers AS known (id, conversation, ordinal, is_open, record)
      VALUES (item.id, conversation_id, item.ordinal, item.is_open, item.record::json)
      ON CONFLICT (id) DO UPDATE SET ordinal = excluded.ordinal, is_open = excluded.is_open, record = excluded.record
      WHERE known.conversation = excluded.conversation;
      IF NOT FOUND THEN RAISE EXCEPTION 'foreign handover' USING ERRCODE = 'HO002'; END IF;
    END LOOP;
  END $$;

  CREATE FUNCTION ${schema}.require_own_v1(conversation_id bigint, handover text) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM 1 FROM ${schema}.handovers WHERE id = handover AND conversation = conversation_id;
    IF NOT FOUND THEN RAISE EXCEPTION 'foreign handover' USING ERRCODE = 'HO002'; END IF;
  END $$;

  CREATE FUNCTION ${schema}.put_parts_v1(conversation_id bigint, given jsonb) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    item record;
  BEGIN
    FOR item IN SELECT * FROM jsonb_to_recordset(given) AS x(
      handover text, attempt bigint, seq bigint, number bigint, key text, vendor_message_id text, is_open boolean, record text
    ) LOOP
      PERFORM ${schema}.require_own_v1(conversation_id, item.handover);
      INSERT INTO ${schema}.parts (handover, attempt, seq, number, key, vendor_message_id, is_open, record)
      VALUES (item.handover, item.attempt, item.seq, item.number, item.key, item.vendor_message_id, item.is_open, item.record::json)
      ON CONFLICT (handover, attempt, seq, number) DO UPDATE SET key = excluded.key,
        vendor_message_id = excluded.vendor_message_id, is_open = excluded.is_open, record = excluded.record;
    END LOOP;
  END $$;

  -- A reference that another handover had goes over: a user who comes back is the vendor's same user in a new handover.
  CREATE FUNCTION ${schema}.put_addresses_v1(conversation_id bigint, additions jsonb) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    item record;
  BEGIN
    FOR item IN SELECT * FROM jsonb_to_recordset(additions) AS x(account text, handover text, "references" jsonb) LOOP
      PERFORM ${schema}.require_own_v1(conversation_id, item.handover);
      INSERT INTO ${schema}.addresses (account_key, reference, handover)
      SELECT DISTINCT item.account, value, item.handover FROM jsonb_array_elements_text(item."references")
      ON CONFLICT (account_key, reference) DO UPDATE SET handover = excluded.handover;
    END LOOP;
  END $$;

  -- A delivery that was dealt with stays known by its id; one without an id goes. Returns how many were still waiting.
  CREATE FUNCTION ${schema}.consume_v1(conversation_id bigint, numbers jsonb) RETURNS integer LANGUAGE plpgsql AS $$
  DECLARE
    wanted bigint[] := ARRAY(SELECT value::bigint FROM jsonb_array_elements_text(numbers));
    cleared integer;
    removed integer;
  BEGIN
    UPDATE ${schema}.inbox SET record = NULL
    WHERE number = ANY (wanted) AND conversation = conversation_id AND record IS NOT NULL AND delivery_id IS NOT NULL;
    GET DIAGNOSTICS cleared = ROW_COUNT;
    DELETE FROM ${schema}.inbox WHERE number = ANY (wanted) AND conversation = conversation_id AND delivery_id IS NULL;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN cleared + removed;
  END $$;

  CREATE FUNCTION ${schema}.note_v1(items jsonb, default_conversation text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO ${schema}.journal (at, conversation, record)
    SELECT at, coalesce(conversation, default_conversation), record::json
    FROM jsonb_to_recordset(items) AS x(at bigint, conversation text, record text)
  $$;

  -- Locks the conversation, and makes it when there is none; one that is refused is not made.
  CREATE FUNCTION ${schema}.open_conversation_v1(
    request jsonb, OUT own ${schema}.conversations, OUT is_new boolean, OUT refusal text
  ) LANGUAGE plpgsql AS $$
  BEGIN
    is_new := false;
    SELECT * INTO own FROM ${schema}.conversations WHERE key = request ->> 'key' FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      IF NOT request ? 'address' THEN RAISE EXCEPTION 'unknown conversation' USING ERRCODE = 'HO001'; END IF;
      refusal := ${schema}.refusal_v1(request, NULL, 0, 0, 0);
      IF refusal IS NOT NULL THEN RETURN; END IF;
      INSERT INTO ${schema}.conversations (key, long_key, address)
      VALUES (request ->> 'key', request ->> 'longKey', (request ->> 'address')::json)
      ON CONFLICT (key) DO NOTHING RETURNING * INTO own;
      is_new := FOUND;
      IF NOT is_new THEN
        SELECT * INTO STRICT own FROM ${schema}.conversations WHERE key = request ->> 'key' FOR NO KEY UPDATE;
      END IF;
    END IF;
    refusal := ${schema}.refusal_v1(request, own.owner, own.fence, own.version, own.last_seq);
  END $$;

  -- What is set to null goes; what is left out stays.
  CREATE FUNCTION ${schema}.change_conversation_v1(own ${schema}.conversations, change jsonb, has_work boolean) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    IF has_work THEN
      own.activity := own.activity + 1;
      IF own.owner IS NULL THEN own.claimable_at := least(own.claimable_at, clock_timestamp()); END IF;
    END IF;
    IF change ? 'botThrough' THEN own.bot_through := change ->> 'botThrough'; END IF;
    IF change ? 'pushedThrough' THEN own.pushed_through := change ->> 'pushedThrough'; END IF;
    IF change ? 'handoverCount' THEN own.handover_count := change ->> 'handoverCount'; END IF;
    IF change ? 'currentHandover' THEN own.current_handover := change ->> 'currentHandover'; END IF;
    IF change ? 'lastHandover' THEN own.last_handover := change ->> 'lastHandover'; END IF;
    IF change ? 'user' THEN own.user_record := change ->> 'user'; END IF;
    IF change ? 'botRetry' THEN own.bot_retry := change ->> 'botRetry'; END IF;
    UPDATE ${schema}.conversations SET version = own.version, activity = own.activity, last_seq = own.last_seq,
      claimable_at = own.claimable_at, bot_through = own.bot_through, pushed_through = own.pushed_through,
      handover_count = own.handover_count, current_handover = own.current_handover, last_handover = own.last_handover,
      user_record = own.user_record, bot_retry = own.bot_retry
    WHERE id = own.id;
  END $$;

  CREATE FUNCTION ${schema}.commit_v1(request jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
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
    END IF;
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
`;
