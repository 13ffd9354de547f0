DROP TRIGGER refuse_plain_instances_update ON instances;
DROP TRIGGER refuse_plain_instances_insert ON instances;
DROP FUNCTION refuse_plain_text();
