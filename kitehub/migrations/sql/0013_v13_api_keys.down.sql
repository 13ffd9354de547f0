DROP TRIGGER guard_api_keys_revocation ON api_keys;
DROP TRIGGER guard_api_keys_expiry ON api_keys;
DROP TRIGGER guard_api_keys_issued ON api_keys;
DROP TRIGGER keep_revoked_api_keys ON api_keys;
DROP TRIGGER keep_new_api_keys ON api_keys;
DROP FUNCTION refuse_api_key_change();
DROP FUNCTION keep_revoked_api_key();
DROP FUNCTION keep_new_api_key();
