CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_procrastinate_jobs_given_up
    ON procrastinate_jobs (status, id DESC) WHERE status IN ('cancelled', 'aborted');
