ALTER TABLE job_failures DROP CONSTRAINT job_failures_job_id_fkey;
