-- The plan says CREATE TRIGGER IF NOT EXISTS, which is a syntax error in every PostgreSQL.
CREATE TRIGGER update_instances_updated_at
    BEFORE UPDATE ON instances
    FOR EACH ROW
    EXECUTE FUNCTION update_updated_at_column();
