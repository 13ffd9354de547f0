-- procrastinate's own indexes are for jobs that wait or run.
CREATE INDEX idx_procrastinate_jobs_failed ON procrastinate_jobs (id DESC) WHERE status = 'failed';
