"""Memos: what banks and people make of the one that the QR code had."""

from random import Random

from billing.matching import order_codes

# Most banks leave the memo as it is, with something before or after it.
_FORMS = (
    "{memo}",
    "{memo}",
    "{memo}",
    "{name} chuyen tien {memo}",
    "IBFT {memo}",
    "{memo}-CHUYEN TIEN-OQCH{digits}",
    "MBVCB.{digits}.{memo}.CT tu {account} {name}",
    "{memo} FT{digits}",
    "QR - {memo}",
    "CUSTOMER {memo}. TU: {name}",
    "{lower}",
    "{wrapped}",
    "{memo}   GD {digits}",
)


def garbled(memo: str, code: str, *, name: str, account: str, rng: Random) -> str:
    """A memo as a bank delivers it, in which the code can still be read."""
    head, rest = memo[: len(code)], memo[len(code) :]
    text = rng.choice(_FORMS).format(
        memo=memo,
        lower=memo.lower(),
        wrapped=f"{head[:6]} {head[6:]}{rest}",
        name=name,
        account=account,
        digits=rng.randrange(10**9, 10**10),
    )
    # By chance a neighbour may make another code of it.
    return text if order_codes(text) == [code] else memo


def slipped(code: str, rng: Random) -> str:
    """A code with one character typed wrong, so that it is nobody's."""
    place = rng.randrange(2, len(code))
    return code[:place] + ("8" if code[place] != "8" else "9") + code[place + 1 :]
