ANALYZE instance_configs;
