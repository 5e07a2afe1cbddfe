"""Archives and messages are taken apart; nothing of theirs leaves its folder, and nothing grows too large."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading import LoadingLimits, ParserProcess, Unpacked, load_file, take_apart
from ragsvc.loading.archives import unpack
from ragsvc.loading.limits import DEFAULT_LIMITS, MIB


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def message() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "裁决通知"
    mail.set_content("见附件。\n\n此致")
    return mail


def take(content: bytes, name: str, tmp_path: Path, limits: LoadingLimits = DEFAULT_LIMITS) -> Unpacked:
    """Unpack into a box; afterwards nothing but numbered files in the box is new."""
    box = tmp_path / "outer" / "box"
    box.mkdir(parents=True)
    found = unpack(content, name, box, limits)
    outside = [path for path in tmp_path.rglob("*") if path not in (box, box.parent) and path.parent != box]
    assert outside == []
    assert all(path.is_file() and not path.is_symlink() and path.name.isdigit() for path in box.iterdir())
    assert [Path(member.path).parent for member in found.members] == [box] * len(found.members)
    return found


def names(found: Unpacked) -> list[str]:
    return [member.name for member in found.members]


def reasons(found: Unpacked) -> dict[str, str]:
    return {refused.name: refused.reason for refused in found.refused}


def test_members_come_out_with_their_way(tmp_path: Path) -> None:
    """Folders are kept in the name, what describes or hides is passed over, unknown kinds are named."""
    content = zipped(
        {
            "法/民法典.md": "# 民法典\n".encode(),
            "README.md": b"about",
            "__MACOSX/._x.md": b"resource fork",
            "a/b/blob.bin": b"\x00\x01\x02",
        }
    )
    found = take(content, "laws.zip", tmp_path)
    assert names(found) == ["laws.zip/法/民法典.md"]
    assert Path(found.members[0].path).read_text(encoding="utf-8") == "# 民法典\n"
    assert list(reasons(found)) == ["laws.zip/a/b/blob.bin"]


def test_names_in_an_old_chinese_zip_are_readable(tmp_path: Path) -> None:
    """Without the flag for UTF-8, names are GB18030 as Chinese Windows writes them."""
    content = zipped({"XX.md": b"# t\n"}).replace(b"XX.md", "法".encode("gb18030") + b".md")
    assert names(take(content, "a.zip", tmp_path)) == ["a.zip/法.md"]


def test_compressed_tars_and_single_files(tmp_path: Path) -> None:
    """A .tar.gz holds its files, a .gz its one file."""
    assert names(take(tarred((tarfile.TarInfo("x/a.txt"), b"text")), "a.tar.gz", tmp_path)) == ["a.tar.gz/x/a.txt"]
    found = unpack(gzip.compress(b"text"), "a.txt.gz", tmp_path, DEFAULT_LIMITS)
    assert names(found) == ["a.txt.gz/a.txt"]


def test_archives_in_archives_to_a_depth_of_two(tmp_path: Path) -> None:
    """An archive in an archive is opened, one more is refused by name."""
    third = zipped({"deep.txt": b"deep"})
    second = zipped({"third.zip": third, "mid.txt": b"mid"})
    found = take(zipped({"second.zip": second}), "first.zip", tmp_path)
    assert names(found) == ["first.zip/second.zip/mid.txt"]
    assert "more than 2 deep" in reasons(found)["first.zip/second.zip/third.zip"]


@pytest.mark.parametrize("evil", ["../evil.txt", "a/../../evil.txt", "/etc/evil.txt", "..\\evil.txt", "C:\\evil.txt"])
def test_paths_that_lead_out_are_refused(evil: str, tmp_path: Path) -> None:
    """In a zip and in a tar; the other members come out."""
    for content in (
        zipped({evil: b"evil", "good.txt": b"good"}),
        tarred((tarfile.TarInfo(evil), b"evil"), (tarfile.TarInfo("good.txt"), b"good")),
    ):
        found = unpack(content, "a.zip", tmp_path, DEFAULT_LIMITS)
        assert names(found) == ["a.zip/good.txt"]
        assert [refused.reason for refused in found.refused] == ["has a path that leads out of the archive"]
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["000000"]


def test_odd_names_are_only_labels(tmp_path: Path) -> None:
    """A NUL, a right-to-left mark and a reserved name are harmless; 255 bytes are the limit."""
    content = zipped({"good\u202etxt.txt": b"a", "CON.txt": b"b", "法" * 100 + ".txt": b"c"})
    found = take(content.replace(b"CON.txt", b"C\x00N.txt"), "a.zip", tmp_path)
    assert names(found) == ["a.zip/goodtxt.txt", "a.zip/CN.txt"]
    assert [refused.reason for refused in found.refused] == ["has a name of more than 255 bytes"]


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    """A link could show what is outside; none is followed or made."""
    secret = tmp_path / "secret"
    link = tarfile.TarInfo("link.txt")
    link.type, link.linkname = tarfile.SYMTYPE, str(secret)
    hard = tarfile.TarInfo("hard.txt")
    hard.type, hard.linkname = tarfile.LNKTYPE, "/etc/hostname"
    pipe = tarfile.TarInfo("pipe.txt")
    pipe.type = tarfile.FIFOTYPE
    info = zipfile.ZipInfo("link.txt")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, str(secret))
    for content, count in ((tarred((link, b""), (hard, b""), (pipe, b"")), 3), (buffer.getvalue(), 1)):
        found = unpack(content, "a", tmp_path, DEFAULT_LIMITS)
        assert found.members == []
        assert [refused.reason for refused in found.refused] == ["is a link or device, not a file"] * count


@pytest.mark.parametrize(
    ("content", "limits", "reason"),
    [
        (zipped({"a.txt": b"\x20" * (12 * MIB)}), LoadingLimits(), "packed more than 200-fold"),
        (zipped({f"{n}.txt": b"\x20" * MIB for n in range(4)}), LoadingLimits(expanded_bytes=3 * MIB), "3 MiB"),
        (zipped({f"{n}.txt": b"x" for n in range(60)}), LoadingLimits(zip_entries=50), "60 files or more; at most 50"),
        (gzip.compress(b"\x00" * (12 * MIB)), LoadingLimits(), "packed more than 200-fold"),
        (zipped({"in.zip": zipped({"a.txt": b"x" * (2 * MIB)})}), LoadingLimits(expanded_bytes=MIB), "1 MiB"),
        (zipped({"a.txt": b"text" * 50})[:-60], LoadingLimits(), "damaged archive"),
        (gzip.compress(b"text" * 1000)[:-20], LoadingLimits(), "damaged archive"),
        (tarred((tarfile.TarInfo("a.txt"), b"text"), mode="w")[:600], LoadingLimits(), "damaged archive"),
    ],
    ids=["packed", "large", "many", "gzip", "nested", "cut zip", "cut gzip", "cut tar"],
)
def test_bombs_and_damage_are_refused(content: bytes, limits: LoadingLimits, reason: str, tmp_path: Path) -> None:
    """Number, size and ratio are counted while reading; what a header says is not believed."""
    with pytest.raises(UnreadableFile, match=reason):
        unpack(content, "bomb.zip", tmp_path, limits)


def test_a_message_is_itself_and_its_attachments(tmp_path: Path, parser: ParserProcess) -> None:
    """An attachment's name is a label however it is written; the message says what was attached."""
    mail = message()
    mail.add_attachment(b"# One\n", maintype="text", subtype="markdown", filename="../../etc/one.md")
    mail.add_attachment(zipped({"two.txt": b"two"}), maintype="application", subtype="zip", filename="/abs/more.zip")
    path = tmp_path / "notice.eml"
    path.write_bytes(mail.as_bytes())
    box = tmp_path / "box"
    box.mkdir()
    found = take_apart(path, box, parser=parser)
    assert names(found) == ["notice.eml", "notice.eml/etc/one.md", "notice.eml/abs/more.zip/two.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["box", "notice.eml"]
    letter = load_file(Path(found.members[0].path), name=found.members[0].name, parser=parser)
    assert letter.title == "裁决通知"
    assert letter.text.startswith(
        "裁决通知\n\nFrom: a@example.org\nTo: b@example.org\nSubject: 裁决通知\n\n见附件。\n\n此致"
    )
    assert letter.text.endswith("Attachment: ../../etc/one.md\nAttachment: /abs/more.zip")


def test_other_files_stay_themselves(tmp_path: Path, parser: ParserProcess) -> None:
    """What is no archive comes back as its only member; an archive that is loaded as a file says what it is."""
    path = tmp_path / "law.md"
    path.write_text("# t\n", encoding="utf-8")
    assert take_apart(path, tmp_path, parser=parser).members[0].path == str(path)
    archive = tmp_path / "laws.zip"
    archive.write_bytes(zipped({"a.md": b"# t\n"}))
    with pytest.raises(UnreadableFile, match="is an archive"):
        load_file(archive, parser=parser)
