"""The banks of Vietnam that VietQR reaches, by BIN.

From the State Bank of Vietnam's list of BINs (to 31/12/2023) and what VietQR's libraries list
beside it. A bank that was renamed or taken over keeps its BIN and is here once, under today's name,
to be found by its former names too. Codes and short names differ between sources: only the BIN is
a key.
"""

from dataclasses import dataclass

from billing.plain_text import fold


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank: its BIN of six digits, its short code, what people call it, and what it is."""

    bin: str
    code: str
    short_name: str
    name: str
    former_names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.short_name


# In the order of their short names.
BANKS = (
    Bank("970425", "ABB", "AB Bank", "Ngân hàng TMCP An Bình"),
    Bank("970416", "ACB", "ACB", "Ngân hàng TMCP Á Châu"),
    Bank(
        "970405", "AGRIBANK", "Agribank", "Ngân hàng Nông nghiệp và Phát triển Nông thôn Việt Nam"
    ),
    Bank("970409", "BAB", "BacA Bank", "Ngân hàng TMCP Bắc Á"),
    Bank("970438", "BAOVIETBANK", "BaoViet Bank", "Ngân hàng TMCP Bảo Việt"),
    Bank("970418", "BID", "BIDV", "Ngân hàng TMCP Đầu tư và Phát triển Việt Nam"),
    Bank("970454", "BVB", "BVBank", "Ngân hàng TMCP Bản Việt"),
    Bank(
        "546034",
        "CAKE",
        "CAKE by VPBank",
        "Ngân hàng số CAKE by VPBank - Ngân hàng TMCP Việt Nam Thịnh Vượng",
    ),
    Bank("970444", "VNCB", "CB Bank", "Ngân hàng Thương mại TNHH MTV Xây dựng Việt Nam"),
    Bank("422589", "CIMB", "CIMB Bank", "Ngân hàng TNHH MTV CIMB Việt Nam"),
    Bank("970446", "COOPBANK", "Co-op Bank", "Ngân hàng Hợp tác xã Việt Nam"),
    Bank(
        "796500",
        "DBS",
        "DBS Bank",
        "Ngân hàng TNHH MTV Phát triển Singapore - Chi nhánh TP. Hồ Chí Minh",
    ),
    Bank("970431", "EIB", "Eximbank", "Ngân hàng TMCP Xuất Nhập khẩu Việt Nam"),
    Bank("970408", "GPBANK", "GPBank", "Ngân hàng Thương mại TNHH MTV Dầu Khí Toàn Cầu"),
    Bank("970437", "HDB", "HDBank", "Ngân hàng TMCP Phát triển TP. Hồ Chí Minh"),
    Bank("970442", "HLB", "HongLeong Bank", "Ngân hàng TNHH MTV Hong Leong Việt Nam"),
    Bank("458761", "HSBC", "HSBC Vietnam", "Ngân hàng TNHH MTV HSBC (Việt Nam)"),
    Bank(
        "970456", "IBKHCM", "IBK HCM", "Ngân hàng Công nghiệp Hàn Quốc - Chi nhánh TP. Hồ Chí Minh"
    ),
    Bank("970455", "IBKHN", "IBK HN", "Ngân hàng Công nghiệp Hàn Quốc - Chi nhánh Hà Nội"),
    Bank("970434", "IVB", "Indovina Bank", "Ngân hàng TNHH Indovina"),
    Bank(
        "668888",
        "KBANK",
        "Kasikornbank",
        "Ngân hàng Đại chúng TNHH KASIKORNBANK - Chi nhánh TP. Hồ Chí Minh",
    ),
    Bank("970452", "KLB", "KienlongBank", "Ngân hàng TMCP Kiên Long"),
    Bank("970463", "KBHCM", "Kookmin Bank HCM", "Ngân hàng Kookmin - Chi nhánh TP. Hồ Chí Minh"),
    Bank("970462", "KBHN", "Kookmin Bank HN", "Ngân hàng Kookmin - Chi nhánh Hà Nội"),
    Bank("963369", "LIOBANK", "Liobank", "Ngân hàng số Liobank - Ngân hàng TMCP Phương Đông"),
    Bank(
        "970449",
        "LPB",
        "LPBank",
        "Ngân hàng TMCP Lộc Phát Việt Nam",
        ("LienVietPostBank", "Bưu Điện Liên Việt"),
    ),
    Bank("970422", "MBB", "MB Bank", "Ngân hàng TMCP Quân đội"),
    Bank(
        "970414", "MBV", "MBV", "Ngân hàng TNHH MTV Việt Nam Hiện Đại", ("OceanBank", "Đại Dương")
    ),
    Bank("971025", "MOMO", "MoMo", "CTCP Dịch Vụ Di Động Trực Tuyến"),
    Bank("970426", "MSB", "MSB", "Ngân hàng TMCP Hàng Hải"),
    Bank("970428", "NAB", "Nam A Bank", "Ngân hàng TMCP Nam Á"),
    Bank("970419", "NVB", "NCB Bank", "Ngân hàng TMCP Quốc Dân"),
    Bank("801011", "NONGHYUP", "Nonghyup Bank", "Ngân hàng Nonghyup - Chi nhánh Hà Nội"),
    Bank("970448", "OCB", "OCB Bank", "Ngân hàng TMCP Phương Đông"),
    Bank("970430", "PGB", "PG Bank", "Ngân hàng TMCP Xăng dầu Petrolimex"),
    Bank("970439", "PBVN", "Public Bank Vietnam", "Ngân hàng TNHH MTV Public Việt Nam"),
    Bank("970412", "PVCOMBANK", "PVcomBank", "Ngân hàng TMCP Đại Chúng Việt Nam"),
    Bank("970403", "STB", "Sacombank", "Ngân hàng TMCP Sài Gòn Thương Tín"),
    Bank("970400", "SGB", "SaigonBank", "Ngân hàng TMCP Sài Gòn Công Thương"),
    Bank("970429", "SCB", "SCB", "Ngân hàng TMCP Sài Gòn"),
    Bank("970440", "SSB", "SeABank", "Ngân hàng TMCP Đông Nam Á"),
    Bank("970443", "SHB", "SHB", "Ngân hàng TMCP Sài Gòn - Hà Nội"),
    Bank("970424", "SVB", "Shinhan Bank", "Ngân hàng TNHH MTV Shinhan Việt Nam"),
    Bank(
        "970410",
        "SC",
        "Standard Chartered Vietnam",
        "Ngân hàng TNHH MTV Standard Chartered Bank Việt Nam",
    ),
    Bank("970407", "TCB", "Techcombank", "Ngân hàng TMCP Kỹ thương Việt Nam"),
    Bank("963388", "TIMO", "Timo", "Ngân hàng số Timo by Bản Việt Bank"),
    Bank("970423", "TPB", "TPBank", "Ngân hàng TMCP Tiên Phong"),
    Bank(
        "546035",
        "UBANK",
        "Ubank by VPBank",
        "Ngân hàng số Ubank by VPBank - Ngân hàng TMCP Việt Nam Thịnh Vượng",
    ),
    Bank(
        "970458", "UOB", "United Overseas Bank Vietnam", "Ngân hàng United Overseas Bank Việt Nam"
    ),
    Bank("970441", "VIB", "VIB", "Ngân hàng TMCP Quốc tế Việt Nam"),
    Bank("970427", "VAB", "VietABank", "Ngân hàng TMCP Việt Á"),
    Bank("970433", "VBB", "VietBank", "Ngân hàng TMCP Việt Nam Thương Tín"),
    Bank("970436", "VCB", "Vietcombank", "Ngân hàng TMCP Ngoại Thương Việt Nam"),
    Bank("970415", "CTG", "VietinBank", "Ngân hàng TMCP Công thương Việt Nam"),
    Bank("970421", "VRB", "VietNgaBank", "Ngân hàng Liên doanh Việt - Nga"),
    Bank("970406", "VIKKI", "Vikki Bank", "Ngân hàng TNHH MTV Số Vikki", ("DongA Bank", "Đông Á")),
    Bank("970432", "VPB", "VPBank", "Ngân hàng TMCP Việt Nam Thịnh Vượng"),
    Bank("970457", "WRB", "Woori Bank", "Ngân hàng TNHH MTV Woori Việt Nam"),
)

_BY_BIN = {bank.bin: bank for bank in BANKS}


def bank(bin: str) -> Bank | None:
    """The bank with this BIN, or None where it isn't one of VietQR's."""
    return _BY_BIN.get(bin)


def find_banks(text: str) -> list[Bank]:
    """The banks that somebody may mean, best first: by BIN, code or name, with or without accents.

    A code or short name that is exactly the text comes before those that begin with it, and those
    before the banks that have all its words at the beginnings of theirs. Nothing finds all.
    """
    wanted = fold(text)
    ranked = [(_rank(bank, wanted), bank) for bank in BANKS]
    return [bank for rank, bank in sorted(ranked, key=lambda pair: pair[0]) if rank < _NO_MATCH]


_NO_MATCH = 3
_KEYS = {
    bank.bin: [fold(key) for key in (bank.bin, bank.code, bank.short_name, *bank.former_names)]
    for bank in BANKS
}
_WORDS = {
    bank.bin: [*fold(bank.name).split(), *" ".join(_KEYS[bank.bin]).split()] for bank in BANKS
}


def _rank(bank: Bank, wanted: str) -> int:
    """How well the bank fits, 0 best; people write MBBank and MB Bank."""
    glued = wanted.replace(" ", "")
    keys = [key.replace(" ", "") for key in _KEYS[bank.bin]]
    if glued in keys:
        return 0
    if any(key.startswith(glued) for key in keys):
        return 1
    words = _WORDS[bank.bin]
    found = all(any(word.startswith(part) for word in words) for part in wanted.split())
    return 2 if found else _NO_MATCH
