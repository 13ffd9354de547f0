-- Not Django's constraint: a job that is deleted takes its failure along.
ALTER TABLE job_failures ADD CONSTRAINT job_failures_job_id_fkey
    FOREIGN KEY (job_id) REFERENCES procrastinate_jobs (id) ON DELETE CASCADE;
