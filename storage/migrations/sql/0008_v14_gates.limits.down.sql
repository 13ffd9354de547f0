CREATE OR REPLACE TRIGGER move_storage_limit
    AFTER INSERT OR UPDATE OR DELETE ON instance_configs
    FOR EACH ROW
    EXECUTE FUNCTION move_storage_limit();
