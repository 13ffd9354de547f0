DROP TRIGGER guard_branding_jobs_progress ON branding_jobs;
DROP FUNCTION refuse_lost_progress();
DROP TRIGGER guard_branding_jobs_status ON branding_jobs;
DROP TRIGGER keep_branding_jobs_record ON branding_jobs;
