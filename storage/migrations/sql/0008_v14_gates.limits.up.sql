-- Rows that a move copies or removes are as they are: they move no sums, no limit, and get no sign.
CREATE OR REPLACE TRIGGER move_storage_limit
    AFTER INSERT OR UPDATE OR DELETE ON instance_configs
    FOR EACH ROW
    WHEN (current_setting('kitehub.moving', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION move_storage_limit();
