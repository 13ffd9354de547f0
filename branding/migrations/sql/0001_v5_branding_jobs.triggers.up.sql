CREATE TRIGGER update_branding_jobs_updated_at
    BEFORE UPDATE ON branding_jobs
    FOR EACH ROW
    EXECUTE FUNCTION update_updated_at_column();
