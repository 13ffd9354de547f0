DROP TRIGGER log_group_permissions_rewritten ON auth_group_permissions;
DROP FUNCTION log_rewritten_group_permissions();
DROP TRIGGER log_rewritten_permissions ON kitehub_users_user_permissions;
DROP FUNCTION log_rewritten_own_permissions();
DROP TRIGGER log_rewritten_groups ON kitehub_users_groups;
DROP FUNCTION log_rewritten_memberships();
