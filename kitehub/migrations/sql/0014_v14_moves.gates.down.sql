DROP FUNCTION gate_table();
DROP FUNCTION gate_rows();
DROP FUNCTION gate_row();
DROP FUNCTION refuse_unmoved(UUID);
DROP FUNCTION refuse_old_snapshot();
DROP FUNCTION refuse_gated(UUID);
DROP SEQUENCE gates_changed_at;
