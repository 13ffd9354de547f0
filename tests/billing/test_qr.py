"""Images of QR codes, read again by a reader of other people's."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from billing import qr
from tests.billing.qr_readers import png_pixels, read_pixels, svg_pixels

VECTORS = json.loads((Path(__file__).parent / "vectors" / "vietqr-vectors.json").read_text())
PAYLOADS = [vector["payload"] for vector in VECTORS]
LONGEST = max(PAYLOADS, key=len)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_both_images_say_the_payload(payload: str) -> None:
    for pixels in (png_pixels(qr.png(payload, scale=3)), svg_pixels(qr.svg(payload), scale=3)):
        found = read_pixels(pixels)
        assert found.valid
        assert found.text == payload
        assert found.ec_level == "M"


@pytest.mark.parametrize("scale", [1, 2, 8])
def test_the_png_is_as_large_as_asked_with_a_quiet_zone_around(scale: int) -> None:
    pixels = png_pixels(qr.png(LONGEST, scale=scale))
    quiet = 4 * scale
    assert {len(row) for row in pixels} == {len(pixels)}
    assert len(pixels) % scale == 0
    black = [(x, y) for y, row in enumerate(pixels) for x, pixel in enumerate(row) if not pixel]
    edge = len(pixels) - quiet
    assert {min(x for x, _ in black), min(y for _, y in black)} == {quiet}
    assert {max(x for x, _ in black) + 1, max(y for _, y in black) + 1} == {edge}


def test_the_svg_stands_in_a_page_and_alone() -> None:
    drawing = qr.svg(LONGEST)
    root = ElementTree.fromstring(drawing)  # noqa: S314  (ours)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert set(root.attrib) == {"viewBox"}
    assert drawing.startswith("<svg ")
    assert drawing.isascii()


def test_a_payload_has_one_picture() -> None:
    assert qr.png(LONGEST) == qr.png(LONGEST)
    assert qr.svg(LONGEST) == qr.svg(LONGEST)
