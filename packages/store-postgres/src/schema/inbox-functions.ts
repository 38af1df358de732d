/**
 * Deliveries on their way into the inbox. Every function that writes takes its locks in this order: references (sorted by the
 * caller), conversations by id, inbox rows by number. So writers wait for each other, but never in a circle.
 */
export const inboxFunctions = (schema: string): string => `
  CREATE FUNCTION ${schema}.lock_references_v1(locks jsonb) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    item record;
  BEGIN
    FOR item IN SELECT * FROM jsonb_to_recordset(locks) AS x(class integer, stripe integer, exclusive boolean) LOOP
      IF item.exclusive THEN
        PERFORM pg_advisory_xact_lock(item.class, item.stripe);
      ELSE
        PERFORM pg_advisory_xact_lock_shared(item.class, item.stripe);
      END IF;
    END LOOP;
  END $$;

  -- The first reference that is known counts.
  CREATE FUNCTION ${schema}.find_target_v1(account text, given jsonb, OUT handover text, OUT conversation bigint) LANGUAGE plpgsql AS $$
  DECLARE
    wanted text;
  BEGIN
    FOR wanted IN SELECT value FROM jsonb_array_elements_text(given) LOOP
      SELECT a.handover, h.conversation INTO handover, conversation
      FROM ${schema}.addresses a JOIN ${schema}.handovers h ON h.id = a.handover
      WHERE a.account_key = account AND a.reference = wanted;
      IF FOUND THEN RETURN; END IF;
    END LOOP;
  END $$;

  -- own_key: a conversation that is locked together with those that the deliveries are for.
  CREATE FUNCTION ${schema}.lock_targets_v1(deliveries jsonb, own_key text) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    targets bigint[];
  BEGIN
    SELECT array_agg(target.conversation) INTO targets
    FROM jsonb_array_elements(deliveries) AS delivery,
      LATERAL ${schema}.find_target_v1(delivery ->> 'account', delivery -> 'references') AS target;
    PERFORM 1 FROM ${schema}.conversations WHERE id = ANY (targets) OR key = own_key ORDER BY id FOR NO KEY UPDATE;
  END $$;

  -- Numbers follow the order in which deliveries were given; rows are inserted by id, as everybody does.
  CREATE FUNCTION ${schema}.put_deliveries_v1(
    deliveries jsonb, OUT woken bigint[], OUT added integer, OUT repeated integer, OUT parked integer
  ) LANGUAGE plpgsql AS $$
  DECLARE
    item record;
    target record;
  BEGIN
    woken := '{}';
    added := 0;
    repeated := 0;
    parked := 0;
    FOR item IN
      WITH numbered AS MATERIALIZED (
        SELECT x.*, nextval(pg_get_serial_sequence('${schema}.inbox', 'number')) AS number
        FROM jsonb_to_recordset(deliveries) AS x(account text, id text, "references" jsonb, received_at bigint, record text)
      )
      SELECT * FROM numbered ORDER BY account COLLATE "C", id COLLATE "C", number
    LOOP
      SELECT * INTO target FROM ${schema}.find_target_v1(item.account, item."references");
      INSERT INTO ${schema}.inbox (number, account_key, delivery_id, handover, conversation, received_at, record)
      VALUES (item.number, item.account, item.id, target.handover, target.conversation, item.received_at, item.record::json)
      ON CONFLICT (account_key, delivery_id) WHERE delivery_id IS NOT NULL DO NOTHING;
      IF NOT FOUND THEN
        repeated := repeated + 1;
      ELSIF target.conversation IS NOT NULL THEN
        added := added + 1;
        woken := woken || target.conversation;
      ELSE
        parked := parked + 1;
        INSERT INTO ${schema}.parked (account_key, reference, number, position)
        SELECT item.account, given.reference, item.number, given.position
        FROM jsonb_array_elements_text(item."references") WITH ORDINALITY AS given (reference, position)
        ON CONFLICT DO NOTHING;
      END IF;
    END LOOP;
  END $$;

  -- Gives parked deliveries to the handovers that have become known. Returns the conversations that got some.
  CREATE FUNCTION ${schema}.unpark_v1(additions jsonb) RETURNS bigint[] LANGUAGE plpgsql AS $$
  DECLARE
    waiting bigint;
    target record;
    woken bigint[] := '{}';
  BEGIN
    FOR waiting IN
      SELECT inbox.number FROM ${schema}.inbox
      WHERE inbox.handover IS NULL AND inbox.number IN (
        SELECT parked.number
        FROM jsonb_array_elements(additions) AS addition
        CROSS JOIN LATERAL jsonb_array_elements_text(addition -> 'references') AS given
        JOIN ${schema}.parked ON parked.account_key = addition ->> 'account' AND parked.reference = given
      )
      ORDER BY inbox.number FOR UPDATE
    LOOP
      SELECT h.id, h.conversation INTO STRICT target
      FROM ${schema}.parked p
      JOIN ${schema}.addresses a ON a.account_key = p.account_key AND a.reference = p.reference
      JOIN ${schema}.handovers h ON h.id = a.handover
      WHERE p.number = waiting ORDER BY p.position LIMIT 1;
      UPDATE ${schema}.inbox SET handover = target.id, conversation = target.conversation WHERE number = waiting;
      DELETE FROM ${schema}.parked WHERE number = waiting;
      woken := woken || target.conversation;
    END LOOP;
    RETURN woken;
  END $$;

  -- Puts the deliveries of one request into the inbox, all or none.
  CREATE FUNCTION ${schema}.receive_v1(request jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
  DECLARE
    received record;
  BEGIN
    PERFORM ${schema}.lock_references_v1(request -> 'locks');
    PERFORM ${schema}.lock_targets_v1(request -> 'deliveries', NULL);
    SELECT * INTO received FROM ${schema}.put_deliveries_v1(request -> 'deliveries');
    RETURN jsonb_build_object(
      'conversations', ${schema}.wake_v1(received.woken),
      'added', received.added, 'repeated', received.repeated, 'parked', received.parked
    );
  END $$;
`;
