-- What PostgreSQL refuses to change a column's type under: things that need the given columns of
-- tables in the current schema. Each row is the thing's kind, the table that it is a part of (or ''),
-- its name, and the table and column that it needs.
SELECT DISTINCT used.kind, used.owner, used.name, c.relname, a.attname
FROM unnest(%(tables)s::text[], %(columns)s::text[]) AS given (relname, attname)
JOIN pg_class c ON c.relname = given.relname AND c.relnamespace = current_schema()::regnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = given.attname
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
    AND d.refobjsubid = a.attnum
CROSS JOIN LATERAL (
    -- A view needs a column through its rule; a rule of its own is a part of the table it is on.
    SELECT CASE WHEN v.relkind IN ('v', 'm') THEN 'view' ELSE 'rule' END AS kind,
        CASE WHEN v.relkind IN ('v', 'm') THEN '' ELSE v.relname END AS owner,
        CASE WHEN v.relkind IN ('v', 'm') THEN v.relname ELSE r.rulename END AS name
    FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class
    WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    UNION ALL
    SELECT 'trigger', t.relname, g.tgname
    FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
    WHERE d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
    UNION ALL
    SELECT 'policy', t.relname, p.polname
    FROM pg_policy p JOIN pg_class t ON t.oid = p.polrelid
    WHERE d.classid = 'pg_policy'::regclass AND p.oid = d.objid
    UNION ALL
    SELECT 'publication', '', p.pubname
    FROM pg_publication_rel m JOIN pg_publication p ON p.oid = m.prpubid
    WHERE d.classid = 'pg_publication_rel'::regclass AND m.oid = d.objid
    UNION ALL
    SELECT 'function', '',
        quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')'
    FROM pg_proc p
    WHERE d.classid = 'pg_proc'::regclass AND p.oid = d.objid
    UNION ALL
    -- A generated column; a plain default needs no column.
    SELECT 'column', t.relname, b.attname
    FROM pg_attrdef f
    JOIN pg_class t ON t.oid = f.adrelid
    JOIN pg_attribute b ON b.attrelid = f.adrelid AND b.attnum = f.adnum
    WHERE d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid AND b.attgenerated <> ''
        AND (b.attrelid, b.attnum) <> (a.attrelid, a.attnum)
) AS used
ORDER BY 1, 2, 3, 4, 5
