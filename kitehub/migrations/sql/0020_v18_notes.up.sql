-- A note stays as it was written. It may be withdrawn, once.
CREATE FUNCTION refuse_note_change()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION 'notes: %: %', OLD.id, TG_ARGV[0]
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER guard_notes_written
    AFTER UPDATE ON notes
    FOR EACH ROW
    WHEN ((
        OLD.id, OLD.table_name, OLD.row_id, OLD.text, OLD.created_at, OLD.created_by
    ) IS DISTINCT FROM (
        NEW.id, NEW.table_name, NEW.row_id, NEW.text, NEW.created_at, NEW.created_by
    ))
    EXECUTE FUNCTION refuse_note_change('a note stays as it was written');

CREATE TRIGGER guard_notes_withdrawn
    AFTER UPDATE ON notes
    FOR EACH ROW
    WHEN (OLD.withdrawn_at IS NOT NULL AND (
        OLD.withdrawn_at, OLD.withdrawn_by, OLD.withdrawn_reason
    ) IS DISTINCT FROM (
        NEW.withdrawn_at, NEW.withdrawn_by, NEW.withdrawn_reason
    ))
    EXECUTE FUNCTION refuse_note_change('a withdrawn note stays withdrawn');

CREATE TRIGGER keep_notes
    BEFORE DELETE ON notes
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_notes_whole
    BEFORE TRUNCATE ON notes
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change();
