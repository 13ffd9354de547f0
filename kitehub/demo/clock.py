"""The database's clock, moved for what is written inside one transaction.

Triggers date what they write by `now()` or `clock_timestamp()`, so a history written now would all
be of today. PostgreSQL looks a name up along the search path, and takes its own `now` first only as
long as the path does not say otherwise. Here it does: functions of these names, which only this
transaction can see and which are gone before it ends, answer with the moment asked for. Triggers
that have a search path of their own do without it meanwhile, in this transaction alone. Nothing
that they wrote is changed afterwards.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db.backends.base.base import BaseDatabaseWrapper

_NAMES = ("now", "clock_timestamp")
_CREATE = """
CREATE FUNCTION {schema}.{name}() RETURNS timestamptz LANGUAGE sql STABLE
AS $$ SELECT current_setting('kitehub.demo_now')::timestamptz $$
"""
_OWN_PATHS = """
SELECT oid::regprocedure::text, split_part(setting, '=', 2)
FROM pg_proc, unnest(proconfig) AS setting
WHERE pronamespace = current_schema()::regnamespace AND setting LIKE 'search_path=%'
"""
# By its schema's name: a bare `now` would be PostgreSQL's own again by then.
_DROP = "DROP FUNCTION {schema}.{name}()"


@contextmanager
def moved_clock(connection: BaseDatabaseWrapper) -> Iterator[Callable[[datetime], None]]:
    """Gives a function that sets what the clock says in triggers, until the block ends.

    Needs a transaction, and the right to create a function in the schema of the tables, as
    migrations do. Column defaults and CURRENT_TIMESTAMP keep the real time.
    """
    set_config = "SELECT set_config(%s, %s, true)"
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema()), current_setting('search_path')")
        schema, path = cursor.fetchone()
        cursor.execute(_OWN_PATHS)
        own_paths = cursor.fetchall()
        for function, _ in own_paths:
            cursor.execute(f"ALTER FUNCTION {function} RESET search_path")
        for name in _NAMES:
            cursor.execute(_CREATE.format(schema=schema, name=name))
        cursor.execute(set_config, ["search_path", f"{path}, pg_catalog"])

        def move_to(moment: datetime) -> None:
            cursor.execute(set_config, ["kitehub.demo_now", moment.isoformat()])

        yield move_to
        # Only after success: a failure undoes all of it with the transaction.
        cursor.execute(set_config, ["search_path", path])
        for name in _NAMES:
            cursor.execute(_DROP.format(schema=schema, name=name))
        for function, own in own_paths:
            cursor.execute(f"ALTER FUNCTION {function} SET search_path = {own}")
