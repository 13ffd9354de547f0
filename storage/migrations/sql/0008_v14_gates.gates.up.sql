CREATE TRIGGER gate_new_storage_events
    AFTER INSERT ON storage_events
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_rows();
CREATE TRIGGER gate_changed_storage_events
    AFTER UPDATE ON storage_events
    REFERENCING OLD TABLE AS before NEW TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_rows();
CREATE TRIGGER gate_deleted_storage_events
    AFTER DELETE ON storage_events
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_rows();
CREATE TRIGGER gate_storage_events_whole
    BEFORE TRUNCATE ON storage_events
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_table();
CREATE TRIGGER gate_new_storage_reservations
    AFTER INSERT ON storage_reservations
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_rows();
CREATE TRIGGER gate_changed_storage_reservations
    AFTER UPDATE ON storage_reservations
    REFERENCING OLD TABLE AS before NEW TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_rows();
CREATE TRIGGER gate_deleted_storage_reservations
    AFTER DELETE ON storage_reservations
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_rows();
CREATE TRIGGER gate_storage_reservations_whole
    BEFORE TRUNCATE ON storage_reservations
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_table();
CREATE TRIGGER gate_storage_usage_whole
    BEFORE TRUNCATE ON storage_usage
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_table();

-- What other triggers write here follows from a statement that has its own gate.
CREATE TRIGGER gate_storage_usage
    BEFORE INSERT OR UPDATE OR DELETE ON storage_usage
    FOR EACH ROW
    WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION gate_row();
