COMMENT ON COLUMN branding_jobs.progress_percentage IS NULL;
