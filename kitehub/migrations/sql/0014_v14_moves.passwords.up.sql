CREATE TRIGGER refuse_plain_instance_moves_source_insert
    BEFORE INSERT ON instance_moves
    FOR EACH ROW
    WHEN (NEW.source_password <> ''
        AND NEW.source_password !~ '^gAAAAA[A-Za-z0-9_-]{92,}={0,2}$')
    EXECUTE FUNCTION refuse_plain_text('source_password');
CREATE TRIGGER refuse_plain_instance_moves_source_update
    BEFORE UPDATE ON instance_moves
    FOR EACH ROW
    WHEN (NEW.source_password IS DISTINCT FROM OLD.source_password
        AND NEW.source_password <> ''
        AND NEW.source_password !~ '^gAAAAA[A-Za-z0-9_-]{92,}={0,2}$')
    EXECUTE FUNCTION refuse_plain_text('source_password');
CREATE TRIGGER refuse_plain_instance_moves_target_insert
    BEFORE INSERT ON instance_moves
    FOR EACH ROW
    WHEN (NEW.target_password <> ''
        AND NEW.target_password !~ '^gAAAAA[A-Za-z0-9_-]{92,}={0,2}$')
    EXECUTE FUNCTION refuse_plain_text('target_password');
CREATE TRIGGER refuse_plain_instance_moves_target_update
    BEFORE UPDATE ON instance_moves
    FOR EACH ROW
    WHEN (NEW.target_password IS DISTINCT FROM OLD.target_password
        AND NEW.target_password <> ''
        AND NEW.target_password !~ '^gAAAAA[A-Za-z0-9_-]{92,}={0,2}$')
    EXECUTE FUNCTION refuse_plain_text('target_password');
