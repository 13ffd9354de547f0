"""Pixels of screenshots."""

import struct
import zlib


def grey_pixels(png: bytes) -> list[bytearray]:
    """The first channel of a screenshot: a PNG of eight bits, RGB or RGBA, not interlaced."""
    at, data, header = 8, b"", b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        header += body if kind == b"IHDR" else b""
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", header)
    assert (depth, rest) == (8, [0, 0, 0])
    size = {2: 3, 6: 4}[colour]
    raw, stride = zlib.decompress(data), width * size
    rows: list[bytearray] = []
    above = bytearray(stride)
    for start in range(0, height * (stride + 1), stride + 1):
        row = bytearray(raw[start + 1 : start + 1 + stride])
        _unfilter(raw[start], row, above, size)
        rows.append(row[::size])
        above = row
    return rows


def _unfilter(kind: int, row: bytearray, above: bytearray, size: int) -> None:
    """Adds to each byte what its filter foretells (PNG, 9.2)."""
    for at in range(len(row)):
        left = row[at - size] if at >= size else 0
        corner = above[at - size] if at >= size else 0
        foretold = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))
        row[at] = (row[at] + foretold[kind]) % 256


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda each: abs(guess - each))
