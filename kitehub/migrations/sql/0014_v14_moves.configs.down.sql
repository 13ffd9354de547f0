DROP TRIGGER gate_instance_configs_whole ON instance_configs;
DROP TRIGGER gate_instance_configs ON instance_configs;
