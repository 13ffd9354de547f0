DROP INDEX CONCURRENTLY IF EXISTS idx_procrastinate_jobs_failed;
