"""The catalogue of the demo's schools: who they are, how old, and how their subscription went."""

from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from uuid import UUID

from kitehub.demo.chance import fixed_id
from kitehub.demo.subjects import COURSES, Course, Subject
from kitehub.demo.texts import slug
from kitehub.enums import Tier


class Story(Enum):
    """How a school's subscription went."""

    TRIAL = auto()
    TRIAL_ENDED = auto()
    PAYING = auto()
    # Opened by somebody who has had the trial: pays from the first day.
    BRANCH = auto()
    PAST_DUE = auto()
    LAPSED = auto()
    CANCELED = auto()


@dataclass(frozen=True)
class School:
    """A school. `tiers` are those bought month by month, the last one for the months that follow.

    `days` is its age and `stored_gib` what it stores now; `visitors` weighs its guests against the
    other schools'. Who stops paying stops after the last of `tiers`.
    """

    kind: str
    brand: str
    place: str
    subject: Subject
    days: int
    story: Story
    tiers: tuple[Tier, ...]
    stored_gib: float
    visitors: float
    deleted: bool = False

    @property
    def name(self) -> str:
        """The organization's name."""
        return f"{self.kind} {self.brand} {self.place}"

    @cached_property
    def subdomain(self) -> str:
        """Its subdomain of KiteHub."""
        return slug(f"{self.brand} {self.place}")

    @cached_property
    def domain(self) -> str:
        """The domain of its e-mail addresses; branches share it, as they share the owner."""
        return f"{slug(self.brand)}.example"

    @cached_property
    def id(self) -> UUID:
        """The instance's id, the same for every seed and moment."""
        return fixed_id(f"instance/{self.subdomain}")

    @cached_property
    def courses(self) -> tuple[Course, ...]:
        """What it offers: its subject's courses but one, so that schools differ."""
        courses = COURSES[self.subject]
        missing = self.id.int % len(courses)
        return courses[:missing] + courses[missing + 1 :]


def _school(
    kind: str,
    brand: str,
    place: str,
    subject: Subject,
    days: int,
    story: Story,
    tiers: str,
    stored_gib: float,
    visitors: float,
    *,
    deleted: bool = False,
) -> School:
    """A row of the table below, its tiers given by their first letters."""
    by_letter = {tier[0]: tier for tier in Tier}
    bought = tuple(by_letter[letter] for letter in tiers)
    return School(
        kind, brand, place, subject, days, story, bought, stored_gib, visitors, deleted=deleted
    )


_lang, _math, _exam, _music, _art, _skill, _coding = Subject
_trial, _ended, _paying, _branch, _late, _lapsed, _canceled = Story

# The days of those who stopped paying fit the number of their tiers, with room for months of any
# length: a school that is late by `days` is late by a few days only, whatever the date.
SCHOOLS = (
    _school("Trung tâm Anh ngữ", "Hoa Phượng", "Hải Phòng", _lang, 181, _paying, "SSP", 12.4, 9),
    _school("Luyện thi", "Lam Sơn", "Thanh Hóa", _exam, 178, _paying, "BBS", 4.86, 7),
    _school("Toán tư duy", "Trí Việt", "Hà Nội", _math, 174, _paying, "S", 5.0, 8),
    _school("Trung tâm Âm nhạc", "Giai Điệu Xanh", "Sài Gòn", _music, 171, _paying, "P", 9.1, 6),
    _school("Học viện Lập trình", "Tre Xanh", "Đà Nẵng", _coding, 167, _paying, "SP", 18.9, 7),
    _school("Ngoại ngữ", "Sao Khuê", "Hà Nội", _lang, 164, _paying, "P", 20.7, 8),
    _school("Xưởng Mỹ thuật", "Sắc Màu", "Huế", _art, 160, _paying, "B", 0, 3),
    _school("Trung tâm Kỹ năng", "Măng Non", "Cần Thơ", _skill, 157, _paying, "SSB", 1.3, 4),
    _school("Anh ngữ", "Cánh Diều", "Vinh", _lang, 154, _ended, "S", 0.4, 2, deleted=True),
    _school("Nhà Toán học nhỏ", "Ong Vàng", "Bắc Ninh", _math, 150, _canceled, "BBB", 0, 3),
    _school("Luyện thi", "Đất Học", "Nam Định", _exam, 147, _paying, "BS", 3.2, 5),
    _school("Trung tâm Âm nhạc", "Đồng Dao", "Hà Nội", _music, 143, _paying, "B", 0, 3),
    _school("Học viện STEM", "Bách Khoa Nhí", "Sài Gòn", _coding, 139, _late, "SSSS", 5.3, 6),
    _school("Trung tâm Anh ngữ", "Hoa Phượng", "Quảng Ninh", _lang, 133, _branch, "S", 2.6, 5),
    _school("Trung tâm Nhật ngữ", "Hoa Anh Đào", "Đà Nẵng", _lang, 128, _paying, "SP", 7.7, 6),
    _school("Mỹ thuật", "Bút Chì Gỗ", "Đà Lạt", _art, 124, _paying, "S", 4.95, 4),
    _school("Ngữ văn cô", "Ánh Tuyết", "Hải Dương", _exam, 119, _paying, "B", 0, 3),
    _school("Kỹ năng sống", "Đom Đóm", "Nha Trang", _skill, 115, _canceled, "SSSS", 2.1, 3),
    _school("Toán", "Thăng Long", "Hà Nội", _math, 111, _paying, "BP", 6.5, 7),
    _school("Trung tâm Hàn ngữ", "Mùa Thu", "Biên Hòa", _lang, 106, _lapsed, "BB", 0, 3),
    _school("Robotics", "Ốc Vít", "Hà Nội", _coding, 102, _paying, "S", 3.9, 5),
    _school("Piano", "Phím Ngà", "Hải Phòng", _music, 99, _canceled, "S", 0.9, 2),
    _school("Luyện thi", "Sông Hương", "Huế", _exam, 95, _paying, "S", 4.4, 5),
    _school("Anh ngữ thiếu nhi", "Chích Chòe", "Cần Thơ", _lang, 90, _paying, "BS", 1.8, 5),
    _school("Toán tư duy", "Hạt Dẻ", "Thái Nguyên", _math, 85, _ended, "B", 0, 2),
    _school("Mỹ thuật", "Tranh Đông Hồ", "Bắc Ninh", _art, 78, _late, "BB", 0, 3),
    _school("Trung tâm Tin học", "Phù Sa", "Vĩnh Long", _coding, 73, _paying, "B", 0, 3),
    _school("Trung tâm Hoa ngữ", "Trúc Lâm", "Lạng Sơn", _lang, 68, _paying, "S", 2.2, 4),
    _school("Guitar", "Sáu Dây", "Quy Nhơn", _music, 62, _lapsed, "S", 1.1, 2),
    _school("Toán tư duy", "Trí Việt", "Phú Thọ", _math, 58, _branch, "B", 0, 3),
    _school("Rèn chữ", "Nét Bút Tre", "Nghệ An", _skill, 55, _canceled, "BB", 0, 2),
    _school("Ngoại ngữ", "Biển Đông", "Vũng Tàu", _lang, 48, _late, "P", 13.8, 5),
    _school("Luyện thi", "Cổng Trường", "Buôn Ma Thuột", _exam, 41, _paying, "S", 1.6, 4),
    _school("Ngoại ngữ", "Đường Mây", "Lào Cai", _lang, 33, _ended, "S", 0.7, 2),
    _school("Học viện Lập trình", "Dế Mèn", "Sài Gòn", _coding, 24, _paying, "P", 3.3, 5),
    _school("Kỹ năng", "Chim Én", "Đồng Tháp", _skill, 19, _ended, "B", 0, 2),
    _school("Luyện thi", "Ngọc Linh", "Quảng Ngãi", _exam, 12, _trial, "S", 0.6, 3),
    _school("Mỹ thuật", "Giấy Dó", "Hà Nội", _art, 9, _trial, "B", 0, 3),
    _school("Trung tâm Anh ngữ", "Lá Cờ", "Cà Mau", _lang, 5, _trial, "P", 0.8, 4),
    _school("Nhạc cụ dân tộc", "Đàn Bầu", "Ninh Bình", _music, 2, _trial, "S", 0.1, 3),
    _school("Toán", "Con Số Vui", "Tây Ninh", _math, 1, _trial, "S", 0, 3),
)

# The school whose owner quickstart signs in: it pays, is the only one of its brand, and has an open
# order for its next month.
SAMPLE = next(school for school in SCHOOLS if school.brand == "Sông Hương")
