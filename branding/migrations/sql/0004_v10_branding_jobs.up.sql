CREATE TRIGGER keep_branding_jobs_record
    BEFORE INSERT OR UPDATE ON branding_jobs
    FOR EACH ROW
    EXECUTE FUNCTION keep_record();

-- Written by the lifecycle; a test holds the two equal.
CREATE TRIGGER guard_branding_jobs_status
    AFTER UPDATE ON branding_jobs
    FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION guard_status(
        'PENDING>PROCESSING',
        'PENDING>FAILED',
        'PROCESSING>COMPLETED',
        'PROCESSING>FAILED',
        'PROCESSING>PENDING',
        'FAILED>PENDING'
    );
