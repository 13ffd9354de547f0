DROP TRIGGER keep_planned_matches_whole ON planned_matches;
DROP TRIGGER keep_planned_matches ON planned_matches;
DROP TRIGGER guard_planned_matches ON planned_matches;
DROP FUNCTION refuse_planned_match_change();
