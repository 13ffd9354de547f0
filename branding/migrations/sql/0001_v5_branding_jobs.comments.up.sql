COMMENT ON COLUMN branding_jobs.progress_percentage IS
    '0-100%: Logo analysis (20%), Hero generation (60%), Marketing copy (100%)';
