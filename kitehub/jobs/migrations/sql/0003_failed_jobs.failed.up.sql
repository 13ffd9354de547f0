-- procrastinate's own indexes are for jobs that wait or run; what is done needs none.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_procrastinate_jobs_failed
    ON procrastinate_jobs (id DESC) WHERE status = 'failed';
