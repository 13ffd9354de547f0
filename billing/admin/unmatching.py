"""What is asked before an allocation is taken off its order, from either side of it."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from billing.admin.what_comes import UNSAID, of_line, refusing
from billing.models import PaymentAllocation, PaymentOrder
from billing.services import inbox
from kitehub.backoffice.dialogs import Line
from kitehub.backoffice.rehearsals import PlannedDialog
from kitehub.display import money


class AllocationDialog(PlannedDialog):
    """Asks which allocation, and shows what the order and the bank line are without it.

    Who builds on it has the field `allocation`, with a label of its own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        which: Any = self.fields["allocation"]
        which.choices = [
            (str(allocation.pk), said) for allocation, said in (self.offered() if self.row else ())
        ]

    def offered(self) -> Iterable[tuple[PaymentAllocation, str]]:
        """The allocations of its row that can be taken off, each with what is said of it."""
        raise NotImplementedError

    def attempt(self, actor: str) -> Sequence[Line]:
        """Takes it off."""
        key = self.cleaned_data["allocation"]
        with refusing(inbox.CannotMatch):
            transfer = inbox.unmatch(
                allocation_id=key, actor=actor, reason=UNSAID, at=timezone.now()
            )
        order = PaymentOrder.all_objects.get(allocations=key)
        rest = gettext("%(rest)s still to be paid") % {"rest": money(order.rest)}
        return [Line(order.order_id, rest), of_line(transfer)]
