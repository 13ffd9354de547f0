CREATE TRIGGER keep_instance_configs_record
    BEFORE INSERT OR UPDATE ON instance_configs
    FOR EACH ROW
    EXECUTE FUNCTION keep_record();
