-- Plain text is refused whoever writes it, and before it reaches a page or the write-ahead log. No
-- CHECK: its error would print the whole row to the client and into the server's log, and it would
-- stop every other change of an old row that is still plain.
CREATE OR REPLACE FUNCTION refuse_plain_text()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION '%.% takes only encrypted text; write it through KiteHub',
        TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE TRIGGER refuse_plain_instances_insert
    BEFORE INSERT ON instances
    FOR EACH ROW
    WHEN (NEW.database_password <> ''
        AND NEW.database_password !~ '^gAAAAA[A-Za-z0-9_-]{92,}={0,2}$')
    EXECUTE FUNCTION refuse_plain_text('database_password');

CREATE OR REPLACE TRIGGER refuse_plain_instances_update
    BEFORE UPDATE ON instances
    FOR EACH ROW
    WHEN (NEW.database_password IS DISTINCT FROM OLD.database_password
        AND NEW.database_password <> ''
        AND NEW.database_password !~ '^gAAAAA[A-Za-z0-9_-]{92,}={0,2}$')
    EXECUTE FUNCTION refuse_plain_text('database_password');
