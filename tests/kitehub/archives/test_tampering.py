"""Whatever is done to an archive is found out before anything is written, and said in a line."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from kitehub.models import ArchiveRun, Instance
from tests.kitehub.archives.schools import erase, export, files, rewritten

Change = Callable[[dict[str, Any], dict[str, bytes]], object]


def swap(old: bytes, new: bytes, table: str) -> Change:
    def change(said: dict[str, Any], texts: dict[str, bytes]) -> None:
        name = f"{table}.jsonl"
        assert old in texts[name]
        texts[name] = texts[name].replace(old, new, 1)

    return change


def told(**values: Any) -> Change:
    return lambda said, texts: said.update(values)


def of_file(table: str, /, **values: Any) -> Change:
    def change(said: dict[str, Any], texts: dict[str, bytes]) -> None:
        (file,) = (file for file in said["files"] if file["table"] == table)
        file |= values

    return change


def newer(said: dict[str, Any], texts: dict[str, bytes]) -> None:
    said["schema"] = {"version": "V99", "migrations": {"tenant": ["storage.0099_v99_more"]}}


def without(table: str) -> Change:
    return lambda said, texts: texts.pop(f"{table}.jsonl")


def twice(said: dict[str, Any], texts: dict[str, bytes]) -> None:
    texts["again.jsonl"] = texts["guest_events.jsonl"]
    (file,) = (file for file in said["files"] if file["table"] == "guest_events")
    said["files"].append({**file, "path": "again.jsonl"})


# Hashes and manifest as they were.
TAMPERED: dict[str, tuple[Change, str]] = {
    "a value": (swap(b'"amount":299000', b'"amount":299001', "payment_orders"), "its hash differs"),
    "a row less": (
        lambda said, texts: texts.update({"guest_events.jsonl": b""}),
        "guest_events.jsonl is not what was archived: its hash differs",
    ),
    "a file less": (without("storage_events"), "holds other files than its manifest.json says"),
    "a file more": (lambda said, texts: texts.update(x=b""), "holds other files than"),
    "the count": (of_file("guest_events", rows=99), "4 rows rather than 99"),
    "a count below nothing": (of_file("guest_events", rows=-1), "no number of rows"),
    "no format": (lambda said, texts: said.pop("format"), "can't be read: KeyError"),
    "another format": (told(format="tar"), "no archive of an instance: its format is tar"),
    "a format to come": (told(format_version=2), "has format 2, and this code reads format 1"),
    "no list": (told(files=7), "can't be read: TypeError"),
}
# Whoever makes it hashes it too.
FORGED: dict[str, tuple[Change, str]] = {
    "newer schema": (newer, "newer schema, V99: storage.0099_v99_more is not applied here"),
    "unknown table": (
        of_file("guest_events", table="kitehub_users"),
        "there is no such table here",
    ),
    "unknown column": (of_file("guest_events", columns=["id", "x"]), "it has no column x here"),
    "a table twice": (twice, "It has a table twice"),
    "no JSON": (
        swap(b"{", b"", "guest_events"),
        "Its rows don't fit in here: invalid input syntax",
    ),
    "no object": (
        lambda said, texts: texts.update({"guest_events.jsonl": b"7\n"}),
        "on a scalar",
    ),
    "an empty line": (swap(b"{", b"\n{", "guest_events"), "null value in column"),
    "NUL": (swap(b'"json-null"', rb'"\u0000"', "guest_events"), "Unicode escape sequence"),
    "a control character": (swap(b'"json-null"', b'"\x01"', "guest_events"), "extra data after"),
    "no number": (swap(b'"amount":299000', b'"amount":"x"', "payment_orders"), "invalid input"),
    "another's row": (swap(b'"instance_id":"', b'"instance_id":"0', "storage_events"), "invalid"),
    "a rule broken": (swap(b'"amount":299000', b'"amount":-1', "payment_orders"), "amount_check"),
    "an unknown key": (swap(b'{"id"', b'{"z":1,"id"', "guest_events"), "guest_events would differ"),
    "another spelling": (swap(b'{"id"', b'{ "id"', "guest_events"), "guest_events would differ"),
}


def import_of(path: Path) -> str:
    with pytest.raises(CommandError) as refused:
        call_command("import_instance", str(path))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_every_change_is_found_out(school: Instance, tmp_path: Path) -> None:
    path = export(school, tmp_path)
    erase(school)
    for name, (change, complaint) in TAMPERED.items():
        assert complaint in import_of(rewritten(path, change, honest=False)), name
    for name, (change, complaint) in FORGED.items():
        assert complaint in import_of(rewritten(path, change)), name
    assert not Instance.all_objects.filter(pk=school.id).exists()
    assert not ArchiveRun.objects.exists()
    call_command("import_instance", str(path))


def test_rows_of_another_school_are_not_let_in(school: Instance, tmp_path: Path) -> None:
    neighbour = Instance.objects.exclude(pk=school.pk).get()
    path = export(school, tmp_path)
    erase(school)
    ours, theirs = str(school.id).encode(), str(neighbour.id).encode()
    for table in ("guest_sessions", "payment_orders", "storage_events"):
        forged = rewritten(
            path, swap(b'"instance_id":"%s"' % ours, b'"instance_id":"%s"' % theirs, table)
        )
        before = export(neighbour, tmp_path, f"{table}.zip")
        assert f"{table} would differ" in import_of(forged)
        assert files(export(neighbour, tmp_path, f"{table}-2.zip")) == files(before)


def test_broken_files_are_told_apart_from_archives(school: Instance, tmp_path: Path) -> None:
    path = export(school, tmp_path)
    whole = path.read_bytes()
    broken = tmp_path / "broken.zip"
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        broken.write_bytes(whole[:size])
        assert "It is no whole zip file" in import_of(broken)
    for place in range(0, len(whole), len(whole) // 40):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        broken.write_bytes(changed)
        # Some bytes, as of a file's date, say nothing of the rows; the instance is here already.
        assert import_of(broken)
    assert import_of(tmp_path / "none.zip").endswith("none.zip is not there.")
    assert "Is a directory" in import_of(tmp_path)
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("manifest.json", json.dumps([1]))
    assert "manifest.json can't be read" in import_of(broken)
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("other.json", "{}")
    assert "It has no manifest.json" in import_of(broken)
