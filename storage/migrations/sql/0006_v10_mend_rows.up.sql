-- The plan wrote this down and left it out: every instance has a usage row, with its tier's limit.
INSERT INTO storage_usage (instance_id)
SELECT instance_id FROM instance_configs ORDER BY instance_id
ON CONFLICT (instance_id) DO NOTHING;
