DROP TRIGGER gate_guest_events_whole ON guest_events;
DROP TRIGGER gate_deleted_guest_events ON guest_events;
DROP TRIGGER gate_changed_guest_events ON guest_events;
DROP TRIGGER gate_new_guest_events ON guest_events;
DROP TRIGGER gate_guest_sessions_whole ON guest_sessions;
DROP TRIGGER gate_deleted_guest_sessions ON guest_sessions;
DROP TRIGGER gate_changed_guest_sessions ON guest_sessions;
DROP TRIGGER gate_new_guest_sessions ON guest_sessions;
