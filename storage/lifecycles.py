"""The lifecycle of reservations."""

from kitehub.db.lifecycle import Lifecycle
from storage.enums import ReservationStatus

RESERVATION = Lifecycle(
    table="storage_reservations",
    follows={
        ReservationStatus.OPEN.value: ("COMMITTED", "RELEASED", "EXPIRED"),
        # An upload that came late is admitted anew, if there still is room.
        ReservationStatus.EXPIRED.value: ("OPEN",),
        ReservationStatus.COMMITTED.value: (),
        ReservationStatus.RELEASED.value: (),
    },
)
