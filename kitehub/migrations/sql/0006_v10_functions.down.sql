DROP FUNCTION guard_status();
DROP FUNCTION refuse_change();
DROP FUNCTION keep_record();
