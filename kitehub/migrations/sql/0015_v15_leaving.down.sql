DROP TRIGGER keep_archive_runs_whole ON archive_runs;
DROP TRIGGER keep_archive_runs ON archive_runs;
