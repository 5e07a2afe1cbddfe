"""Pictures that come with a question."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from PIL import PngImagePlugin

from ragsvc.errors import InvalidInput, UpstreamTimeout
from ragsvc.generation.images import MAX_IMAGE_BYTES, MOST_SIDE, clean_image, read_images, with_images
from ragsvc.records import Image, Message
from ragsvc.settings import read_settings
from ragsvc.wiring.network import Network


def file_of(picture: Pillow.Image, kind: str, **options: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()


def data_url(raw: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(raw).decode()}"


def opened(image: Image) -> Pillow.Image:
    return Pillow.open(io.BytesIO(image.data))


async def from_nowhere(url: str, most_bytes: int) -> bytes:
    raise AssertionError(f"{url} was fetched")


RED = file_of(Pillow.new("RGB", (8, 6), "red"), "PNG")


@pytest.mark.parametrize("sent", [data_url(RED), base64.b64encode(RED).decode(), data_url(RED, "image/jpeg")])
async def test_a_data_url_or_base64_is_read(sent: str) -> None:
    """What the file is decides, not what the caller says it is."""
    [image] = await read_images([sent], from_nowhere)
    assert image.media_type == "image/png"
    assert opened(image).size == (8, 6)
    assert opened(image).getpixel((0, 0)) == (255, 0, 0)


def test_place_and_camera_are_removed_and_the_picture_stands_upright() -> None:
    """EXIF, comments and anything after the picture's end are gone; the orientation that EXIF states is applied."""
    exif = Pillow.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x0112] = 6  # turn right by 90 degrees
    exif.get_ifd(0x8825)[1] = "N"
    raw = file_of(Pillow.new("RGB", (40, 20), "blue"), "JPEG", exif=exif, comment=b"SecretComment") + b"SecretTail"
    image = clean_image(raw)
    assert image.media_type == "image/jpeg"
    assert not [word for word in (b"Secret", b"Exif") if word in image.data]
    assert dict(opened(image).getexif()) == {}
    assert opened(image).size == (20, 40)


def test_texts_in_a_png_are_removed() -> None:
    """Chunks of text and EXIF of a PNG do not reach a vendor."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "SecretAuthor", zip=False)
    texts.add_itxt("XML:com.adobe.xmp", "<x>SecretPlace</x>")
    image = clean_image(file_of(Pillow.new("RGB", (4, 4)), "PNG", pnginfo=texts))
    assert b"Secret" not in image.data
    assert opened(image).info == {}


@pytest.mark.parametrize(
    ("picture", "kind", "mode"),
    [
        (Pillow.new("L", (5, 5)), "PNG", "L"),
        (Pillow.new("1", (5, 5)), "PNG", "RGB"),
        (Pillow.new("RGBA", (5, 5)), "PNG", "RGBA"),
        (Pillow.new("LA", (5, 5)), "PNG", "RGBA"),
        (Pillow.new("P", (5, 5)), "GIF", "RGB"),
        (Pillow.new("CMYK", (5, 5)), "JPEG", "RGB"),
        (Pillow.new("RGB", (5, 5)), "WEBP", "RGB"),
    ],
)
def test_every_mode_becomes_one_that_all_models_read(picture: Pillow.Image, kind: str, mode: str) -> None:
    """Bit masks, palettes, CMYK and grey with transparency are converted; a JPEG stays one, the rest becomes PNG."""
    image = clean_image(file_of(picture, kind))
    assert opened(image).mode == mode
    assert image.media_type == ("image/jpeg" if kind == "JPEG" else "image/png")


def test_a_radiograph_of_sixteen_bits_keeps_its_contrast() -> None:
    """Grey values far beyond 255 are stretched over the eight bits that models read, not cut off."""
    picture = Pillow.new("I;16", (2, 1))
    picture.putpixel((0, 0), 1_000)
    picture.putpixel((1, 0), 40_000)
    clean = opened(clean_image(file_of(picture, "PNG")))
    assert (clean.mode, clean.getpixel((0, 0)), clean.getpixel((1, 0))) == ("L", 0, 255)


def test_a_large_picture_is_shrunk() -> None:
    """No more pixels than vendors look at are sent; the proportions stay."""
    image = clean_image(file_of(Pillow.new("RGB", (MOST_SIDE * 2, MOST_SIDE)), "PNG"))
    assert opened(image).size == (MOST_SIDE, MOST_SIDE // 2)


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 60,000 pixels wide and high."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ("not base64!", "image 1 is neither a data URL nor base64"),
        ("data:image/png,abc", "image 1 is no data URL with base64"),
        (data_url(b"%PDF-1.7 ..."), "image 1 is none of JPEG, PNG, WEBP, GIF"),
        (data_url(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"), "image 1 is none of"),
        (data_url(file_of(Pillow.new("RGB", (4, 4)), "BMP")), "image 1 is none of"),
        (data_url(RED[:50]), "image 1 is damaged"),
        (data_url(bomb()), "60000"),
        ("A" * (MAX_IMAGE_BYTES * 4 // 3 + 8), "larger than the limit of 5,000,000 bytes"),
        ("", "image 1 is none of"),
        ("data:,abc", "image 1 is no data URL with base64"),
    ],
)
async def test_what_cannot_be_used_is_refused(sent: str, complaint: str) -> None:
    """Other formats, damage, bombs and over-long pictures are named with their number, and nothing is decoded first."""
    with pytest.raises(InvalidInput, match=complaint):
        await read_images([sent], from_nowhere)


async def test_too_many_are_refused() -> None:
    """A question has four pictures at most."""
    with pytest.raises(InvalidInput, match="images has 5 entries; a question may have 4"):
        await read_images([data_url(RED)] * 5, from_nowhere)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "http://pictures.example/a.png",
        "ftp://pictures.example/a.png",
        "file:///etc/passwd",
        "https://pictures.example.evil.com/a.png",
        "https://user:pass@pictures.example/a.png",
        "https://pictures.example:22/a.png",
        "https://169.254.169.254/latest/meta-data",
        "HTTPS://[::1]/a.png",
        "https://[bad/a.png",
    ],
)
async def test_an_address_that_is_not_on_the_list_is_not_fetched(url: str, tmp_path: Path) -> None:
    """Only https at a listed host, without a credential; the message says what to do instead."""
    network = Network(read_settings(home=tmp_path, image_hosts=("pictures.example",)))
    with pytest.raises(InvalidInput, match=r"image 1: .*base64") as error:
        await read_images([url], network.picture)
    assert "pass@" not in str(error.value)


async def test_without_a_list_nothing_is_fetched(tmp_path: Path) -> None:
    """The default fetches from nowhere: a picture comes as base64."""
    network = Network(read_settings(home=tmp_path))
    with pytest.raises(InvalidInput, match=r"from nowhere.*image_hosts"):
        await read_images(["https://example.com/a.png"], network.picture)


async def test_what_an_address_gives_is_cleaned() -> None:
    """A fetched picture is treated as any other, with the same limit of bytes."""
    asked: list[tuple[str, int]] = []

    async def fetch(url: str, most_bytes: int) -> bytes:
        asked.append((url, most_bytes))
        return RED

    [image] = await read_images(["https://pictures.example/a.png?size=2"], fetch)
    assert opened(image).size == (8, 6)
    assert asked == [("https://pictures.example/a.png?size=2", MAX_IMAGE_BYTES)]


async def test_what_cannot_be_fetched_names_the_picture() -> None:
    """A host that fails is an upstream error which says which picture it was."""

    async def fetch(url: str, most_bytes: int) -> bytes:
        raise UpstreamTimeout("pictures.example took longer than 10 seconds")

    with pytest.raises(UpstreamTimeout, match=r"image 1 could not be fetched: pictures\.example took longer"):
        await read_images(["https://pictures.example/a.png"], fetch)


def test_pictures_go_with_the_last_message() -> None:
    """The question carries them; without pictures the messages are as they were."""
    messages = (Message("system", "s"), Message("user", "q"))
    image = clean_image(RED)
    assert with_images(messages, [image]) == (messages[0], Message("user", "q", (image,)))
    assert with_images(messages, []) == messages
