CREATE TRIGGER keep_branding_jobs_record
    BEFORE INSERT OR UPDATE ON branding_jobs
    FOR EACH ROW
    EXECUTE FUNCTION keep_record();

-- Written by the lifecycle; a test holds the two equal.
CREATE TRIGGER guard_branding_jobs_status
    AFTER UPDATE ON branding_jobs
    FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('PENDING', 'PROCESSING'),
        ('PENDING', 'FAILED'),
        ('PROCESSING', 'COMPLETED'),
        ('PROCESSING', 'FAILED'),
        ('PROCESSING', 'PENDING'),
        ('FAILED', 'PENDING')
    ))
    EXECUTE FUNCTION refuse_transition();

CREATE FUNCTION refuse_lost_progress()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION 'branding_jobs: progress cannot go back from % to % while PROCESSING',
        OLD.progress_percentage, NEW.progress_percentage
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER guard_branding_jobs_progress
    AFTER UPDATE ON branding_jobs
    FOR EACH ROW
    WHEN (
        OLD.status = 'PROCESSING' AND NEW.status = 'PROCESSING'
        AND NEW.progress_percentage < OLD.progress_percentage
    )
    EXECUTE FUNCTION refuse_lost_progress();
