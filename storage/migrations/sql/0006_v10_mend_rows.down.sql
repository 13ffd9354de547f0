-- An empty row more does the older schema no harm.
SELECT 1;
