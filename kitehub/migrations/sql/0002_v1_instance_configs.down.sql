DROP TRIGGER update_instance_configs_updated_at ON instance_configs;
DROP FUNCTION update_updated_at_column();
