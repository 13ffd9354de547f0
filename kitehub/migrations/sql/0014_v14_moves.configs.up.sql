CREATE TRIGGER gate_instance_configs
    BEFORE INSERT OR UPDATE OR DELETE ON instance_configs
    FOR EACH ROW
    EXECUTE FUNCTION gate_row();
CREATE TRIGGER gate_instance_configs_whole
    BEFORE TRUNCATE ON instance_configs
    FOR EACH STATEMENT
    EXECUTE FUNCTION gate_table();
