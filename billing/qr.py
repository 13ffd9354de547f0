"""QR codes as images, drawn here: nobody else learns who pays whom.

Error correction M, which restores 15 %, and the quiet zone of four modules that ISO/IEC 18004 asks
for. Raises segno's DataOverflowError for what no QR code holds, which no VietQR payload is.
"""

from io import BytesIO

import segno

_QUIET_ZONE = 4


def svg(payload: str) -> str:
    """An SVG that scales to its box, to stand in a page or to be a file; black on white."""
    image = BytesIO()
    _drawn(payload).save(
        image,
        kind="svg",
        border=_QUIET_ZONE,
        light="#fff",
        omitsize=True,
        xmldecl=False,
        nl=False,
        svgclass=None,
        lineclass=None,
    )
    return image.getvalue().decode()


def png(payload: str, scale: int = 8) -> bytes:
    """A PNG in black and white, `scale` pixels per module."""
    image = BytesIO()
    _drawn(payload).save(image, kind="png", border=_QUIET_ZONE, scale=scale)
    return image.getvalue()


def _drawn(payload: str) -> segno.QRCode:
    # The level as asked, not a higher one where that is free: every code is drawn alike.
    return segno.make_qr(payload, error="M", boost_error=False)
