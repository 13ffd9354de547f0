"""Reads QR codes from our images, by a reader that shares no code with what drew them."""

import re
import struct
import zlib

import zxingcpp

# Rows of pixels, a byte each: 0 is black, 255 white.
Pixels = list[bytearray]


def read_pixels(pixels: Pixels) -> zxingcpp.Barcode:
    """The one QR code in the picture."""
    shape = (len(pixels), len(pixels[0]))
    view = memoryview(b"".join(pixels)).cast("B", shape=shape)
    (found,) = zxingcpp.read_barcodes(view, formats=zxingcpp.BarcodeFormat.QRCode)
    return found


def png_pixels(png: bytes) -> Pixels:
    """The pixels of a PNG of one bit each, with the filters that ours have."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, data, header = 8, b"", b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == int.from_bytes(png[at + 8 + length : at + 12 + length])
        header += body if kind == b"IHDR" else b""
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    width, height, *form = struct.unpack(">IIBBBBB", header)
    assert form == [1, 0, 0, 0, 0], "one bit of grey, not interlaced"
    raw, stride = zlib.decompress(data), 1 + (width + 7) // 8
    rows, above = [], bytes(stride - 1)
    for start in range(0, height * stride, stride):
        assert raw[start] in (0, 2), "as it is, or the difference from the row above"
        row = raw[start + 1 : start + stride]
        above = bytes((a + b) % 256 for a, b in zip(row, above, strict=True)) if raw[start] else row
        rows.append(above)
    return [bytearray(255 * (row[x // 8] >> (7 - x % 8) & 1) for x in range(width)) for row in rows]


def svg_pixels(svg: str, scale: int) -> Pixels:
    """The pixels of an SVG whose one stroked path is horizontal lines of a module's height."""
    box = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    path = re.search(r'<path stroke="#000" d="([^"]+)"', svg)
    assert box is not None
    assert path is not None
    width, height = int(box[1]), int(box[2])
    modules = [bytearray(b"\xff" * width) for _ in range(height)]
    x = y = 0.0
    for step, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?", path[1]):
        if step == "M":
            x, y = float(first), float(second)
        elif step == "m":
            x, y = x + float(first), y + float(second)
        else:
            start, x = int(x), x + int(first)
            modules[int(y)][start : int(x)] = bytes(int(first))
    rows = [bytearray(byte for byte in row for _ in range(scale)) for row in modules]
    return [row for row in rows for _ in range(scale)]
