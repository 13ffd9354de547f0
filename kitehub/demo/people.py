"""People: the owners of the schools, KiteHub's staff, teachers and students."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from kitehub.demo.chance import fixed_id
from kitehub.demo.schools import School
from kitehub.demo.texts import slug
from kitehub.models import User
from kitehub.roles import Role

# Who did what no person did.
AUTOMATIC = "demo"
# A password that no one has: Django reads a leading "!" as "cannot sign in".
NO_PASSWORD = "!demo"  # noqa: S105

FAMILIES = (
    "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ",
    "Hồ", "Ngô", "Dương", "Lý", "Đinh", "Trịnh",
)  # fmt: skip
# How common they are, roughly, out of a hundred.
FAMILY_WEIGHTS = (31, 11, 10, 7, 5, 5, 5, 4, 4, 3, 3, 3, 2, 2, 2, 1, 1, 1)
OWNERS = (
    "Thị Lan", "Thu Hằng", "Ngọc Bích", "Thanh Thủy", "Thị Hồng Nhung", "Minh Nguyệt", "Bích Ngọc",
    "Thị Phương", "Kim Oanh", "Diệu Linh", "Thúy Quỳnh", "Hoài Thương", "Thị Mai Hương", "Cẩm Tú",
    "Quỳnh Trang", "Thị Xuân", "Khánh Vân", "Mỹ Hạnh", "Thị Yến", "Hải Yến", "Bảo Châu",
    "Văn Hùng", "Minh Đức", "Quang Huy", "Đình Trọng", "Hữu Phước", "Thành Công", "Trung Kiên",
    "Văn Dũng", "Anh Tuấn", "Công Vinh", "Xuân Trường", "Quốc Khánh", "Đức Thắng", "Hoàng Long",
    "Thanh Tùng", "Ngọc Sơn", "Việt Hoàng", "Trọng Nghĩa", "Minh Triết", "Bá Lộc", "Gia Bảo",
)  # fmt: skip
STUDENTS = (
    "Minh Anh", "Gia Hân", "Bảo Ngọc", "Khánh An", "Tuệ Nhi", "Phương Linh", "Hà My", "Thảo Vy",
    "Minh Khang", "Đăng Khoa", "Gia Huy", "Nhật Minh", "Bảo Long", "Tuấn Kiệt", "Phúc Thịnh",
    "Đức Anh", "Quỳnh Chi", "Ngọc Diệp", "Hoàng Nam", "Anh Thư", "Thiên Ân", "Hải Đăng",
)  # fmt: skip
STAFF = (
    ("Nguyễn Thu Hà", "thu.ha@kitehub.test", Role.FINANCE),
    ("Trần Quốc Bảo", "quoc.bao@kitehub.test", Role.FINANCE),
    ("Lê Minh Châu", "minh.chau@kitehub.test", Role.SUPPORT),
    ("Phạm Văn Nam", "van.nam@kitehub.test", Role.OPERATOR),
)


def _person(*, email: str, full_name: str, joined: datetime, is_staff: bool = False) -> User:
    return User(
        id=fixed_id(f"user/{email}"),
        email=email,
        full_name=full_name,
        password=NO_PASSWORD,
        is_staff=is_staff,
        date_joined=joined,
    )


def staff(*, at: datetime) -> list[User]:
    """KiteHub's people, who joined before the first school."""
    return [
        _person(email=email, full_name=name, joined=at - timedelta(days=200 - index), is_staff=True)
        for index, (name, email, _role) in enumerate(STAFF)
    ]


def staff_email(rng: Random) -> str:
    """One of KiteHub's people."""
    return rng.choice(STAFF)[1]


def owners(schools: Sequence[School], born: Sequence[datetime], rng: Random) -> dict[str, User]:
    """Each brand's owner, who signed up just before the brand's first school was born."""
    names = rng.sample(OWNERS, k=len(OWNERS))
    found: dict[str, User] = {}
    for school, moment in zip(schools, born, strict=True):
        if school.brand in found:
            continue
        family = _family(rng)
        given = names[len(found)]
        login = f"{slug(given.split()[-1])}.{slug(family)}@{school.domain}"
        found[school.brand] = _person(
            email=login,
            full_name=f"{family} {given}",
            joined=moment - timedelta(minutes=rng.randint(4, 40)),
        )
    return found


def student(rng: Random) -> str:
    """A child's full name."""
    return f"{_family(rng)} {rng.choice(STUDENTS)}"


def teacher_email(school: School, rng: Random) -> str:
    """The address of somebody who teaches there."""
    return f"{rng.choice(('co', 'thay'))}.{slug(rng.choice(OWNERS).split()[-1])}@{school.domain}"


def _family(rng: Random) -> str:
    return rng.choices(FAMILIES, FAMILY_WEIGHTS)[0]
