-- What was let past the guards is told for ever.
CREATE TRIGGER keep_archive_runs
    BEFORE DELETE ON archive_runs
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_archive_runs_whole
    BEFORE TRUNCATE ON archive_runs
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change();
