-- procrastinate's own indexes are for jobs that wait or run; what is done needs none.
CREATE INDEX idx_procrastinate_jobs_failed ON procrastinate_jobs (id DESC) WHERE status = 'failed';
CREATE INDEX idx_procrastinate_jobs_given_up ON procrastinate_jobs (status, id DESC)
    WHERE status IN ('cancelled', 'aborted');
