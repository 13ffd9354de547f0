ANALYZE branding_jobs;
