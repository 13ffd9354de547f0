-- Everything that the first schema of the search path holds, one row each: what kind of thing it is,
-- the table that it belongs to, its name, and its definition as an ordered JSON object of aspects.
-- Names of this schema come out unqualified, so two schemas that hold the same give the same rows.
-- Left out: what extensions own, privileges, owners, storage parameters and statistics.
WITH here AS (
    SELECT oid, nspname FROM pg_namespace WHERE nspname = current_schema()
), relation AS (
    SELECT c.*
    FROM pg_class c
    JOIN here ON c.relnamespace = here.oid
    WHERE NOT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
), tables AS (
    SELECT * FROM relation WHERE relkind IN ('r', 'p')
), attribute AS (
    SELECT t.relname, a.*
    FROM tables t
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
), item AS (
    -- text: a function's name with its arguments may be longer than a name.
    SELECT 'table' AS kind, t.relname::text AS owner, ''::text AS name, 0 AS position,
        json_build_object(
            'kind', CASE t.relkind WHEN 'p' THEN pg_get_partkeydef(t.oid) END,
            'partition', pg_get_expr(t.relpartbound, t.oid),
            'persistence', CASE t.relpersistence WHEN 'u' THEN 'unlogged' END,
            'row security', CASE WHEN t.relforcerowsecurity THEN 'forced'
                                 WHEN t.relrowsecurity THEN 'on' END,
            'columns', (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                        FROM attribute a WHERE a.attrelid = t.oid)
        ) AS definition
    FROM tables t

    UNION ALL
    SELECT 'column', a.relname, a.attname, a.attnum,
        json_build_object(
            'type', format_type(a.atttypid, a.atttypmod),
            'collation', (SELECT l.collname FROM pg_collation l, pg_type t
                          WHERE l.oid = a.attcollation AND t.oid = a.atttypid
                              AND a.attcollation <> t.typcollation),
            'nullability', CASE WHEN a.attnotnull THEN 'not null' ELSE 'null' END,
            'default', CASE a.attgenerated WHEN '' THEN pg_get_expr(d.adbin, d.adrelid) END,
            'generated', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END,
            'storage', CASE a.attgenerated WHEN 'v' THEN 'virtual' END,
            'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END
        )
    FROM attribute a
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum

    -- NOT NULL is an aspect of the column; PostgreSQL 18 keeps it as a constraint besides ('n').
    UNION ALL
    SELECT 'constraint', t.relname, c.conname, 0,
        json_build_object(
            'definition', pg_get_constraintdef(c.oid, true),
            'enforcement', (SELECT 'triggers disabled' FROM pg_trigger g
                            WHERE g.tgconstraint = c.oid AND g.tgenabled <> 'O' LIMIT 1)
        )
    FROM tables t
    JOIN pg_constraint c ON c.conrelid = t.oid AND c.contype NOT IN ('n', 't')

    UNION ALL
    SELECT 'index', t.relname, i.relname, 0,
        json_build_object(
            'definition', pg_get_indexdef(i.oid, 0, true),
            'validity', CASE WHEN NOT x.indisvalid THEN 'invalid' END
        )
    FROM tables t
    JOIN pg_index x ON x.indrelid = t.oid
    JOIN pg_class i ON i.oid = x.indexrelid

    UNION ALL
    SELECT 'trigger', t.relname, g.tgname, 0,
        json_build_object(
            'definition', pg_get_triggerdef(g.oid, true),
            'state', CASE g.tgenabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled'
                                      WHEN 'R' THEN 'replica only' ELSE 'always' END
        )
    FROM tables t
    JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal

    UNION ALL
    SELECT 'rule', t.relname, r.rulename, 0,
        json_build_object('definition', pg_get_ruledef(r.oid, true))
    FROM tables t
    JOIN pg_rewrite r ON r.ev_class = t.oid

    UNION ALL
    SELECT 'policy', t.relname, p.polname, 0,
        json_build_object(
            'command', p.polcmd,
            'permissive', p.polpermissive,
            'using', pg_get_expr(p.polqual, p.polrelid),
            'check', pg_get_expr(p.polwithcheck, p.polrelid)
        )
    FROM tables t
    JOIN pg_policy p ON p.polrelid = t.oid

    UNION ALL
    SELECT 'comment', t.relname, coalesce(a.attname, ''), d.objsubid,
        json_build_object('text', d.description)
    FROM tables t
    JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = t.oid
    LEFT JOIN attribute a ON a.attrelid = t.oid AND a.attnum = d.objsubid

    UNION ALL
    SELECT 'view', '', v.relname, 0,
        json_build_object(
            'kind', CASE v.relkind WHEN 'm' THEN 'materialized' END,
            'definition', pg_get_viewdef(v.oid, true)
        )
    FROM relation v
    WHERE v.relkind IN ('v', 'm')

    -- The sequence behind an identity column is that column's.
    UNION ALL
    SELECT 'sequence', '', s.relname, 0,
        json_build_object(
            'type', format_type(q.seqtypid, NULL),
            'start', q.seqstart,
            'increment', q.seqincrement,
            'minimum', q.seqmin,
            'maximum', q.seqmax,
            'cycle', q.seqcycle
        )
    FROM relation s
    JOIN pg_sequence q ON q.seqrelid = s.oid
    WHERE NOT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype = 'i'
    )

    UNION ALL
    SELECT 'enum', '', t.typname, 0,
        json_build_object(
            'labels', string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
        )
    FROM pg_type t
    JOIN here ON t.typnamespace = here.oid
    LEFT JOIN pg_enum e ON e.enumtypid = t.oid
    WHERE t.typtype = 'e' AND NOT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
    )
    GROUP BY t.typname

    UNION ALL
    SELECT 'type', '', r.relname, 0,
        json_build_object(
            'attributes', string_agg(
                quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', '
                ORDER BY a.attnum
            )
        )
    FROM relation r
    LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE r.relkind = 'c'
    GROUP BY r.relname

    UNION ALL
    SELECT 'type', '', t.typname, 0,
        json_build_object(
            'range of', format_type(r.rngsubtype, NULL),
            'collation', (SELECT l.collname FROM pg_collation l WHERE l.oid = r.rngcollation),
            'multirange', m.typname
        )
    FROM pg_range r
    JOIN pg_type t ON t.oid = r.rngtypid
    JOIN pg_type m ON m.oid = r.rngmultitypid
    JOIN here ON t.typnamespace = here.oid
    WHERE NOT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
    )

    -- The functions that make a value of a range type are that type's.
    UNION ALL
    SELECT 'function', '',
        quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')', 0,
        json_build_object(
            'kind', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'
                                   WHEN 'w' THEN 'window' END,
            'arguments', pg_get_function_arguments(p.oid),
            'result', pg_get_function_result(p.oid),
            'language', l.lanname,
            'volatility', CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable'
                                             ELSE 'volatile' END,
            'parallel', CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END,
            'strict', CASE WHEN p.proisstrict THEN 'strict' END,
            'security', CASE WHEN p.prosecdef THEN 'definer' END,
            -- The schema's own name is not what two schemas may differ in.
            'settings', replace(
                array_to_string(p.proconfig, ', '),
                'search_path=' || quote_ident(here.nspname) || ',', 'search_path=<schema>,'
            ),
            'body', coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)
        )
    FROM pg_proc p
    JOIN here ON p.pronamespace = here.oid
    JOIN pg_language l ON l.oid = p.prolang
    WHERE NOT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i')
    )
)
SELECT kind, owner, name, json_strip_nulls(definition)::text
FROM item
ORDER BY kind, owner COLLATE "C", position, name COLLATE "C"
