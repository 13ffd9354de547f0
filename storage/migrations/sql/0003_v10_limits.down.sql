DROP TRIGGER move_storage_limit ON instance_configs;
DROP FUNCTION move_storage_limit();
DROP TRIGGER take_storage_limit ON storage_usage;
DROP FUNCTION take_storage_limit();
DROP FUNCTION storage_limit_of(UUID);
DROP FUNCTION storage_limit(TEXT, JSONB);
