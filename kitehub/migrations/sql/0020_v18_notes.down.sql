DROP TRIGGER keep_notes_whole ON notes;
DROP TRIGGER keep_notes ON notes;
DROP TRIGGER guard_notes_withdrawn ON notes;
DROP TRIGGER guard_notes_written ON notes;
DROP FUNCTION refuse_note_change();
