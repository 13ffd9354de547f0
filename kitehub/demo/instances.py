"""Instances and their configs, as the schools' lives have left them."""

from collections.abc import Sequence
from datetime import timedelta

from billing.accounts import Account
from kitehub.demo.banks import BANKS, account_number
from kitehub.demo.chance import fixed_id
from kitehub.demo.people import AUTOMATIC, STAFF
from kitehub.demo.schools import SCHOOLS, School
from kitehub.demo.subscriptions import Life
from kitehub.demo.texts import capitals
from kitehub.enums import Tier
from kitehub.models import Instance, InstanceConfig
from kitehub.plans import PLANS
from kitehub.tenancy import pool_url

DEFAULT_TEMPLATE = "HOCPHI {courseId} {studentName}"
OWN_TEMPLATES = ("HP {courseId} {studentName}", "{studentName} {courseId} {timestamp}")


def has_bank(school: School) -> bool:
    """Whether the school has said where its fees go; the newest have not."""
    return school.days > 4 and SCHOOLS.index(school) % 6 != 4


def qr_template(school: School) -> str:
    """What the school wants to read in its bank statement."""
    index = SCHOOLS.index(school)
    return OWN_TEMPLATES[index % 2] if index % 5 == 0 else DEFAULT_TEMPLATE


def instance(life: Life) -> Instance:
    """The school's row."""
    school, state = life.school, life.state
    premium = state["tier"] == Tier.PREMIUM and life.paid_months > 0
    return Instance(
        id=school.id,
        subdomain=school.subdomain,
        custom_domain=f"hoc.{school.domain}" if premium else None,
        organization_name=school.name,
        owner=life.owner,
        tier=state["tier"],
        status=life.status,
        database_url=pool_url(),
        database_username="",
        database_password="",  # the pool is reached with the platform's own login
        trial_started_at=life.born if life.trial_end else None,
        trial_expires_at=life.trial_end,
        subscription_id=life.subscription.id,
        subscription_expires_at=life.end if life.paid_months else None,
        created_at=life.born,
        updated_at=max(life.born, life.closed_at or life.born, life.last_change),
        created_by=life.owner.email,
        updated_by=life.steps[-1].changes["updated_by"] if life.steps else life.owner.email,
        deleted=school.deleted,
        deleted_at=state.get("deleted_at"),
        **_bank_columns(life),
    )


def bank_account(life: Life) -> Account:
    """Where a school's fees go, if it has said so (see `has_bank`)."""
    index = SCHOOLS.index(life.school)
    bank = BANKS[index % len(BANKS)]
    company = f"CONG TY TNHH GIAO DUC {capitals(life.school.brand)}"
    name = company if index % 3 == 0 else capitals(life.owner.full_name)
    return Account(bank.bin, account_number(bank, 1 + 17 * index), name)


def _bank_columns(life: Life) -> dict[str, str | None]:
    if not has_bank(life.school):
        return {"qr_template": DEFAULT_TEMPLATE}
    account = bank_account(life)
    return {
        "bank_code": account.bank_bin,
        "bank_name": BANKS[SCHOOLS.index(life.school) % len(BANKS)].name,
        "account_number": account.number,
        "account_name": account.name,
        "qr_template": qr_template(life.school),
    }


def configs(lives: Sequence[Life]) -> list[InstanceConfig]:
    """Every school's tier, a few with an exception that staff granted."""
    return [_config(index, life) for index, life in enumerate(lives)]


def _config(index: int, life: Life) -> InstanceConfig:
    plan = PLANS[life.state["tier"]]
    features: dict[str, bool] = {}
    limitations: dict[str, int | None] = {}
    changed, by = life.born, AUTOMATIC
    if life.paid_months:
        changed = max(order.updated_at for order in life.orders if order.paid_at)
    students = plan.limit("maxStudents")
    if index % 8 == 6 and students is not None:
        limitations["maxStudents"] = students + students // 2
        changed, by = changed + timedelta(hours=2), STAFF[index % len(STAFF)][1]
    elif index % 16 == 10 and plan.tier is not Tier.PREMIUM:
        features["premium"] = True
        changed, by = changed + timedelta(hours=3), STAFF[index % len(STAFF)][1]
    return InstanceConfig(
        id=fixed_id(f"config/{life.school.subdomain}"),
        instance_id=life.school.id,
        tier=plan.tier,
        features=features,
        limitations=limitations,
        created_at=life.born,
        updated_at=min(changed, life.at),
        created_by=AUTOMATIC,
        updated_by=by,
        deleted=life.school.deleted,
        deleted_at=life.state.get("deleted_at"),
    )
