-- IF EXISTS, because a step back that was interrupted runs this a second time.
DROP TRIGGER IF EXISTS refuse_plain_instances_update ON instances;
DROP TRIGGER IF EXISTS refuse_plain_instances_insert ON instances;
DROP FUNCTION IF EXISTS refuse_plain_text();
