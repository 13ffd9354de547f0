DROP TRIGGER keep_instances_record ON instances;
