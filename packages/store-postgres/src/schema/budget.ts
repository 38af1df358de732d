/**
 * Buckets of calls that all instances share. They need not survive a crash: the table is not logged, and nobody waits for the disk.
 */
export const budget = (schema: string): string => `
  CREATE UNLOGGED TABLE ${schema}.budgets (
    bucket text COLLATE "C" PRIMARY KEY,
    calls double precision NOT NULL,
    at timestamptz NOT NULL
  ) WITH (fillfactor = 50);

  -- Serves what is wanted one after the other, as long as so many stay as are to be kept.
  CREATE FUNCTION ${schema}.take_budget_v1(
    named text, capacity double precision, refill_per_ms double precision, wanted integer[], kept double precision[],
    OUT granted integer[], OUT wait_ms double precision
  ) LANGUAGE plpgsql AS $$
  DECLARE
    own record;
    moment timestamptz;
    available double precision;
    given integer;
  BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    granted := '{}';
    wait_ms := 0;
    SELECT calls, at INTO own FROM ${schema}.budgets WHERE bucket = named FOR UPDATE;
    IF NOT FOUND THEN
      INSERT INTO ${schema}.budgets (bucket, calls, at) VALUES (named, capacity, clock_timestamp()) ON CONFLICT DO NOTHING;
      SELECT calls, at INTO own FROM ${schema}.budgets WHERE bucket = named FOR UPDATE;
    END IF;
    moment := clock_timestamp();
    available := least(capacity, own.calls + greatest(0, extract(epoch FROM moment - own.at) * 1000) * refill_per_ms);
    FOR place IN 1 .. cardinality(wanted) LOOP
      given := least(wanted[place], greatest(0, floor(available - kept[place])));
      available := available - given;
      granted := granted || given;
      IF given < wanted[place] AND wait_ms = 0 THEN
        wait_ms := greatest(1, ceil((kept[place] + 1 - available) / refill_per_ms));
      END IF;
    END LOOP;
    UPDATE ${schema}.budgets SET calls = available, at = greatest(own.at, moment) WHERE bucket = named;
  END $$;
`;
