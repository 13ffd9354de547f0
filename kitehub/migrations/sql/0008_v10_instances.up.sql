CREATE TRIGGER keep_instances_record
    BEFORE INSERT OR UPDATE ON instances
    FOR EACH ROW
    EXECUTE FUNCTION keep_record();
