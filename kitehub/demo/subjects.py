"""What the demo's schools teach: subjects with their courses, and a slogan for each."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from kitehub.demo.chance import fixed_id


class Subject(StrEnum):
    """What a school teaches."""

    LANGUAGES = "languages"
    MATHS = "maths"
    EXAMS = "exams"
    MUSIC = "music"
    ART = "art"
    SKILLS = "skills"
    CODING = "coding"


@dataclass(frozen=True, slots=True)
class Course:
    """A course. The fee is in đồng for the whole course."""

    code: str
    name: str
    fee: int

    def id_at(self, subdomain: str) -> UUID:
        """The course's id in one school."""
        return fixed_id(f"course/{subdomain}/{self.code}")


COURSES: dict[Subject, tuple[Course, ...]] = {
    Subject.LANGUAGES: (
        Course("IELTS65", "IELTS 6.5+ cấp tốc", 8_900_000),
        Course("GTDL", "Tiếng Anh giao tiếp cho người đi làm", 3_600_000),
        Course("STARTERS", "Tiếng Anh thiếu nhi Starters", 2_800_000),
        Course("TOEIC650", "TOEIC 650 lớp tối", 3_200_000),
        Course("HSK3", "Tiếng Trung HSK 3", 3_500_000),
        Course("N4", "Tiếng Nhật sơ cấp N4", 4_200_000),
        Course("TOPIK2", "Tiếng Hàn TOPIK II", 3_900_000),
    ),
    Subject.MATHS: (
        Course("TOANTD3", "Toán tư duy lớp 3", 1_800_000),
        Course("TOAN6NC", "Toán nâng cao lớp 6", 2_100_000),
        Course("TOAN9", "Toán 9 luyện thi vào 10", 2_700_000),
        Course("TOANTA4", "Toán bằng tiếng Anh lớp 4", 2_400_000),
        Course("HSG8", "Bồi dưỡng học sinh giỏi Toán 8", 2_900_000),
    ),
    Subject.EXAMS: (
        Course("KHOIA00", "Luyện thi tốt nghiệp THPT khối A00", 4_500_000),
        Course("DGNL", "Luyện thi đánh giá năng lực", 3_800_000),
        Course("LY12", "Vật lý 12 tổng ôn", 1_950_000),
        Course("HOA11", "Hóa học 11", 1_650_000),
        Course("VAN9", "Ngữ văn 9 ôn thi vào 10", 1_500_000),
        Course("CHUYENVAN", "Luyện thi vào 10 chuyên Văn", 3_300_000),
    ),
    Subject.MUSIC: (
        Course("PIANO1", "Piano cơ bản cho bé", 3_000_000),
        Course("GUITAR", "Guitar đệm hát", 1_800_000),
        Course("VIOLIN", "Violin thiếu nhi", 3_400_000),
        Course("THANHNHAC", "Thanh nhạc nhập môn", 2_200_000),
        Course("SAOTRUC", "Sáo trúc", 1_200_000),
    ),
    Subject.ART: (
        Course("VE58", "Mỹ thuật thiếu nhi 5–8 tuổi", 1_400_000),
        Course("KHOIH", "Luyện vẽ khối H, V", 4_800_000),
        Course("MAUNUOC", "Màu nước căn bản", 1_600_000),
        Course("CHANDUNG", "Vẽ chân dung chì", 1_750_000),
        Course("GOM", "Nặn gốm cuối tuần", 1_300_000),
    ),
    Subject.SKILLS: (
        Course("THUYETTRINH", "Thuyết trình cho thiếu niên", 2_000_000),
        Course("MCNHI", "MC nhí", 2_300_000),
        Course("CHUDEP", "Rèn chữ đẹp", 900_000),
        Course("KNSHE", "Kỹ năng sống mùa hè", 2_600_000),
        Course("COVUA", "Cờ vua căn bản", 1_100_000),
    ),
    Subject.CODING: (
        Course("SCRATCH", "Scratch cho bé 7–10 tuổi", 2_500_000),
        Course("PYTHON", "Python cho học sinh THCS", 3_100_000),
        Course("ROBOT", "Lập trình robot Arduino", 3_700_000),
        Course("WEB", "Thiết kế web nhập môn", 2_900_000),
        Course("TINHOCTRE", "Luyện thi Tin học trẻ", 3_500_000),
    ),
}

SLOGANS: dict[Subject, str] = {
    Subject.LANGUAGES: "Nói tự tin, đi muôn nơi",
    Subject.MATHS: "Hiểu gốc rễ, giải mọi bài",
    Subject.EXAMS: "Vững kiến thức, chắc nguyện vọng",
    Subject.MUSIC: "Mỗi em nhỏ một giai điệu",
    Subject.ART: "Vẽ điều em mơ",
    Subject.SKILLS: "Tự lập hôm nay, vững vàng ngày mai",
    Subject.CODING: "Viết dòng lệnh đầu tiên, chạm tới tương lai",
}
