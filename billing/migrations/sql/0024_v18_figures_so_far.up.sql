-- One statement, so one snapshot: whatever has been booked since the triggers are there has its
-- entry in the same transaction, and is in the facts with it or not at all.
INSERT INTO figure_entries (day, measure, tier, amount, quantity)
SELECT day, measure, tier, amount, quantity FROM figure_differences();
