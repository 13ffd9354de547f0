DROP TRIGGER keep_goodwill_whole ON goodwill;
DROP TRIGGER keep_goodwill ON goodwill;
DROP TRIGGER guard_goodwill_birth ON goodwill;
DROP TRIGGER guard_goodwill_terms ON goodwill;
DROP FUNCTION refuse_goodwill_change();
DROP TRIGGER guard_goodwill_status ON goodwill;
