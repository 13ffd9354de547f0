"""Lifecycles: which state may follow which, said once for services, database and documentation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


class ForbiddenTransition(Exception):
    """A change of state that the lifecycle doesn't have."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The states of a table's `status` column, each with the states that may follow it."""

    table: str
    follows: Mapping[str, tuple[str, ...]]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every allowed transition, in the order of the table."""
        for before, states in self.follows.items():
            for after in states:
                yield before, after

    def allows(self, before: str, after: str) -> bool:
        """Whether a row may go from one state to another; to stay is no transition, so yes."""
        return before == after or after in self.follows.get(before, ())

    def check(self, before: str, after: str) -> None:
        """Raises ForbiddenTransition unless `allows` says yes."""
        if not self.allows(before, after):
            raise ForbiddenTransition(f"{self.table}: {before} cannot become {after}")

    def trigger(self) -> str:
        """The SQL of the trigger that holds every writer to this lifecycle."""
        allowed = ",\n".join(f"        ('{before}', '{after}')" for before, after in self.pairs())
        changed = "OLD.status IS DISTINCT FROM NEW.status"
        return (
            f"CREATE TRIGGER guard_{self.table}_status\n"
            f"    AFTER UPDATE ON {self.table}\n"
            "    FOR EACH ROW\n"
            f"    WHEN ({changed} AND (OLD.status, NEW.status) NOT IN (\n"
            f"{allowed}\n"
            "    ))\n"
            "    EXECUTE FUNCTION refuse_transition();\n"
        )

    def diagram(self) -> str:
        """The lifecycle as a Mermaid state diagram."""
        lines = [f"    {before} --> {after}" for before, after in self.pairs()]
        final = [f"    {state} --> [*]" for state, after in self.follows.items() if not after]
        return "\n".join(["stateDiagram-v2", *lines, *final])
