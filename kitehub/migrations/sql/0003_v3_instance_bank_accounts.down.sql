DROP TRIGGER update_instances_updated_at ON instances;
