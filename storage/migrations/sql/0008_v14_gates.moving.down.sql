CREATE OR REPLACE TRIGGER take_storage_limit
    BEFORE INSERT ON storage_usage
    FOR EACH ROW
    EXECUTE FUNCTION take_storage_limit();
CREATE OR REPLACE TRIGGER track_storage_changes
    AFTER INSERT ON storage_events
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT
    EXECUTE FUNCTION update_storage_usage();
CREATE OR REPLACE TRIGGER sign_storage_events
    BEFORE INSERT ON storage_events
    FOR EACH ROW
    WHEN (NEW.created_by IS NULL)
    EXECUTE FUNCTION sign_storage_event();
CREATE OR REPLACE TRIGGER keep_storage_events
    BEFORE UPDATE OR DELETE ON storage_events
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER hold_new_reservations
    AFTER INSERT ON storage_reservations
    REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT
    EXECUTE FUNCTION hold_reservations();
CREATE OR REPLACE TRIGGER hold_changed_reservations
    AFTER UPDATE ON storage_reservations
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT
    EXECUTE FUNCTION hold_reservations();
CREATE OR REPLACE TRIGGER hold_deleted_reservations
    AFTER DELETE ON storage_reservations
    REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT
    EXECUTE FUNCTION hold_reservations();
