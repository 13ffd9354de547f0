DROP FUNCTION refuse_transition();
DROP FUNCTION refuse_change();
DROP FUNCTION keep_record();
