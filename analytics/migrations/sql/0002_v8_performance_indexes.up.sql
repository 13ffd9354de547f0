ANALYZE guest_sessions;
ANALYZE guest_events;
