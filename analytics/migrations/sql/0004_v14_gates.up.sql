CREATE TRIGGER gate_new_guest_sessions
    AFTER INSERT ON guest_sessions
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_rows();
CREATE TRIGGER gate_changed_guest_sessions
    AFTER UPDATE ON guest_sessions
    REFERENCING OLD TABLE AS before NEW TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_rows();
CREATE TRIGGER gate_deleted_guest_sessions
    AFTER DELETE ON guest_sessions
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_rows();
CREATE TRIGGER gate_guest_sessions_whole
    BEFORE TRUNCATE ON guest_sessions
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_table();
CREATE TRIGGER gate_new_guest_events
    AFTER INSERT ON guest_events
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_rows();
CREATE TRIGGER gate_changed_guest_events
    AFTER UPDATE ON guest_events
    REFERENCING OLD TABLE AS before NEW TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_rows();
CREATE TRIGGER gate_deleted_guest_events
    AFTER DELETE ON guest_events
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_rows();
CREATE TRIGGER gate_guest_events_whole
    BEFORE TRUNCATE ON guest_events
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_table();
