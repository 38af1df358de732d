/** Who works on what. All times are the database's own. */
export const leaseFunctions = (schema: string): string => `
  -- Something new is to be done. What was due before stays due since then, so that nobody is overtaken for ever; a conversation
  -- that is held stays held, and is claimed by another one when the lease ends. Returns the keys.
  CREATE FUNCTION ${schema}.wake_v1(ids bigint[]) RETURNS text[] LANGUAGE plpgsql AS $$
  DECLARE
    keys text[];
  BEGIN
    IF cardinality(ids) = 0 THEN RETURN '{}'; END IF;
    WITH woken AS (
      UPDATE ${schema}.conversations SET
        activity = activity + 1,
        claimable_at = CASE WHEN owner IS NULL THEN least(claimable_at, clock_timestamp()) ELSE claimable_at END
      WHERE id = ANY (ids)
      RETURNING coalesce(long_key, key) AS key
    )
    SELECT array_agg(key) INTO keys FROM woken;
    RETURN keys;
  END $$;

  -- What is due and what nobody else is just taking; with candidates these, due or not. The oldest first.
  CREATE FUNCTION ${schema}.claim_v1(claimant text, lease_ms double precision, maximum integer, candidates text[])
  RETURNS TABLE (conversation text, new_fence bigint) LANGUAGE plpgsql AS $$
  DECLARE
    moment timestamptz := clock_timestamp();
    taken bigint[];
  BEGIN
    IF candidates IS NULL THEN
      taken := ARRAY(
        SELECT id FROM ${schema}.conversations WHERE claimable_at <= moment
        ORDER BY claimable_at LIMIT maximum FOR NO KEY UPDATE SKIP LOCKED
      );
    ELSE
      taken := ARRAY(
        SELECT id FROM ${schema}.conversations
        WHERE key = ANY (candidates) AND (owner IS NULL OR owner = claimant OR claimable_at <= moment)
        ORDER BY id LIMIT maximum FOR NO KEY UPDATE
      );
    END IF;
    RETURN QUERY
      UPDATE ${schema}.conversations SET
        owner = claimant,
        fence = fence + 1,
        claimable_at = clock_timestamp() + lease_ms * interval '1 millisecond'
      WHERE id = ANY (taken)
      RETURNING coalesce(long_key, key), fence;
  END $$;

  -- Returns the keys of those that are still held: nobody else has claimed them.
  CREATE FUNCTION ${schema}.renew_v1(claimant text, lease_ms double precision, keys text[], fences bigint[])
  RETURNS SETOF text LANGUAGE plpgsql AS $$
  DECLARE
    held bigint[] := ARRAY(
      SELECT c.id FROM unnest(keys, fences) AS given (key, fence)
      JOIN ${schema}.conversations c ON c.key = given.key AND c.fence = given.fence
      WHERE c.owner = claimant
      ORDER BY c.id FOR NO KEY UPDATE OF c
    );
  BEGIN
    RETURN QUERY
      UPDATE ${schema}.conversations SET claimable_at = clock_timestamp() + lease_ms * interval '1 millisecond'
      WHERE id = ANY (held)
      RETURNING key;
  END $$;

  -- delay_ms: until it is due again, NULL for never. False: something has happened that the worker has not seen.
  CREATE FUNCTION ${schema}.release_v1(released_key text, held_fence bigint, seen_activity bigint, delay_ms double precision)
  RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE
    found_row record;
  BEGIN
    SELECT id, activity INTO found_row FROM ${schema}.conversations
    WHERE key = released_key AND fence = held_fence AND owner IS NOT NULL FOR NO KEY UPDATE;
    -- Somebody else has it: nothing is left to do for this worker.
    IF NOT FOUND THEN RETURN true; END IF;
    IF found_row.activity <> seen_activity THEN RETURN false; END IF;
    UPDATE ${schema}.conversations SET owner = NULL, claimable_at = clock_timestamp() + delay_ms * interval '1 millisecond'
    WHERE id = found_row.id;
    RETURN true;
  END $$;
`;
