-- What DROP … CASCADE takes along, without dropping: things that are no part of the given tables or
-- columns of the current schema, but need them. Each row is the kind, the table that it is a part of
-- (or ''), and the name.
WITH RECURSIVE dropped AS (
    SELECT c.oid AS objid, coalesce(a.attnum, 0)::int AS objsubid
    FROM unnest(%(tables)s::text[], %(columns)s::text[]) AS given (relname, attname)
    JOIN pg_class c ON c.relname = given.relname AND c.relnamespace = current_schema()::regnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = given.attname
), gone AS (
    SELECT 'pg_class'::regclass::oid AS classid, objid, objsubid, false AS cascaded FROM dropped
    UNION
    -- Automatic and internal dependencies make a part of a thing; a normal one makes a user of it.
    SELECT
        CASE WHEN r.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass END,
        coalesce(r.ev_class, d.objid),
        0,
        gone.cascaded OR d.deptype = 'n'
    FROM gone
    JOIN pg_depend d ON d.refclassid = gone.classid AND d.refobjid = gone.objid
        AND (gone.objsubid = 0 OR d.refobjsubid = gone.objsubid)
    -- A view needs a table through its rule.
    LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
), taken AS (
    SELECT classid, objid FROM gone WHERE cascaded
    EXCEPT
    SELECT classid, objid FROM gone WHERE NOT cascaded
)
SELECT 'view', '', c.relname
FROM taken JOIN pg_class c ON c.oid = objid AND classid = 'pg_class'::regclass
WHERE c.relkind IN ('v', 'm')
UNION
SELECT 'table', c.relname, ''
FROM taken JOIN pg_class c ON c.oid = objid AND classid = 'pg_class'::regclass
WHERE c.relkind IN ('r', 'p')
UNION
SELECT 'constraint', c.relname, t.conname
FROM taken
JOIN pg_constraint t ON t.oid = objid AND classid = 'pg_constraint'::regclass
JOIN pg_class c ON c.oid = t.conrelid
UNION
SELECT 'function', '',
    quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')'
FROM taken JOIN pg_proc p ON p.oid = objid AND classid = 'pg_proc'::regclass
ORDER BY 1, 2, 3
