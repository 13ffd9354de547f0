DROP TRIGGER keep_goodwill_grants_whole ON goodwill_grants;
DROP TRIGGER keep_goodwill_grants ON goodwill_grants;
DROP TRIGGER guard_goodwill_grants_birth ON goodwill_grants;
DROP TRIGGER guard_goodwill_grants_terms ON goodwill_grants;
DROP FUNCTION refuse_goodwill_grant_change();
DROP TRIGGER guard_goodwill_grants_status ON goodwill_grants;
