"""Pictures that go with a question: read, bounded and written anew.

What a caller sends is decoded by Pillow, turned upright, shrunk to ``MOST_SIDE`` and encoded again, so that neither
EXIF (place, camera, time) nor anything else that hid in the file reaches a vendor.

A picture comes as a data URL or bare base64, as OpenAI's content parts have it. What an address gives is fetched by
whoever calls this, who also decides which addresses may be.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from anyio import to_thread

from ragsvc.errors import InvalidInput, UpstreamFailed
from ragsvc.records import Image, Message
from ragsvc.security.urls import is_url

if TYPE_CHECKING:
    from PIL import Image as Pillow

MAX_IMAGES = 4
"""Of one question."""
MAX_IMAGE_BYTES = 5_000_000
"""Of one picture as it is sent, before base64."""
MAX_PIXELS = 24_000_000
"""Of one picture; known from its header, before anything is decoded."""
MOST_SIDE = 2_048
"""Pixels of the longer side that go to a model: OpenAI, Anthropic and Zhipu shrink to this or to less themselves."""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")

_JPEG_QUALITY = 92
_DATA_URL = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?P<parameters>(?:;[^,;]*)*),", re.ASCII)


Fetch = Callable[[str, int], Awaitable[bytes]]
"""Address and most bytes to what is there; raises InvalidInput where it may not be fetched, else UpstreamFailed."""


async def read_images(sent: Sequence[str], fetch: Fetch) -> tuple[Image, ...]:
    """Return the pictures that a request holds.

    Args:
        sent: data URLs, base64, or addresses, at most ``MAX_IMAGES``.
        fetch: gives what an address holds.

    Raises:
        InvalidInput: too many, too large, of another format, damaged, or at an address that may not be fetched.
        UpstreamFailed: an address on the list did not give the picture.
    """
    if len(sent) > MAX_IMAGES:
        raise InvalidInput(f"images has {len(sent)} entries; a question may have {MAX_IMAGES}")
    images = []
    for number, text in enumerate(sent, 1):
        what = f"image {number}"
        raw = await _fetch(text, fetch, what) if is_url(text[:100]) else _decode_base64(text, what)
        images.append(await to_thread.run_sync(clean_image, raw, what))
    return tuple(images)


def clean_image(raw: bytes, what: str = "the image") -> Image:
    """Return the pixels of an image file, upright, at most ``MOST_SIDE`` wide and high, as a file without metadata.

    JPEG stays JPEG; everything else becomes PNG, of an animation the first frame. Blocks: call it in a thread.

    Raises:
        InvalidInput: it is too large, of another format than ``FORMATS``, or damaged.
    """
    from PIL import Image as Pillow
    from PIL import ImageOps, UnidentifiedImageError

    if len(raw) > MAX_IMAGE_BYTES:
        raise InvalidInput(f"{what} has {len(raw):,} bytes; the limit is {MAX_IMAGE_BYTES:,}: send a smaller one")
    try:
        with Pillow.open(io.BytesIO(raw), formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS:
                raise InvalidInput(f"{what} is {width} x {height} pixels; the limit is {MAX_PIXELS:,}: shrink it")
            is_jpeg = opened.format == "JPEG"
            picture = _plain(ImageOps.exif_transpose(opened), is_jpeg)
    except UnidentifiedImageError:
        raise InvalidInput(f"{what} is none of {', '.join(FORMATS)}: convert it") from None
    except (OSError, SyntaxError, ValueError, EOFError, Pillow.DecompressionBombError) as error:
        raise InvalidInput(f"{what} is damaged: {' '.join(str(error).split())[:120]}") from None
    picture.thumbnail((MOST_SIDE, MOST_SIDE))
    picture.info.clear()  # what Pillow kept of the file (comments, profiles, EXIF) and might write again
    written = io.BytesIO()
    picture.save(written, "JPEG" if is_jpeg else "PNG", **({"quality": _JPEG_QUALITY} if is_jpeg else {}))
    return Image("image/jpeg" if is_jpeg else "image/png", written.getvalue())


def with_images(messages: Sequence[Message], images: Sequence[Image]) -> tuple[Message, ...]:
    """Return the messages with the pictures on the last one, which is the question."""
    if not images:
        return tuple(messages)
    *before, last = messages
    return (*before, Message(last.role, last.content, tuple(images)))


def _plain(picture: Pillow.Image, is_jpeg: bool) -> Pillow.Image:
    """Return the picture in a mode that every model's decoder reads: grey, colour, or colour with transparency."""
    if picture.mode.startswith(("I", "F")):  # more than 8 bits of grey, as radiographs have
        low, high = picture.getextrema()
        low, high = float(low), float(high)  # type: ignore[arg-type]  # one band: two numbers
        scale = 255.0 / (high - low) if high > low else 0.0
        return picture.convert("F").point(lambda value: value * scale - low * scale).convert("L")
    if picture.mode in ("L", "RGB") or (picture.mode == "RGBA" and not is_jpeg):
        return picture.copy()
    see_through = "transparency" in picture.info or picture.mode in ("LA", "PA")
    return picture.convert("RGBA" if see_through and not is_jpeg else "RGB")


def _decode_base64(text: str, what: str) -> bytes:
    encoded = text
    if text[:5].lower() == "data:":
        head = _DATA_URL.match(text[:200])
        if head is None or not head["parameters"].lower().endswith(";base64"):
            raise InvalidInput(f"{what} is no data URL with base64: write data:image/png;base64,…")
        encoded = text[head.end() :]
    if len(encoded) > MAX_IMAGE_BYTES * 4 // 3 + 4:
        raise InvalidInput(f"{what} is larger than the limit of {MAX_IMAGE_BYTES:,} bytes: send a smaller one")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(f"{what} is neither a data URL nor base64: write data:image/png;base64,…") from None


async def _fetch(url: str, fetch: Fetch, what: str) -> bytes:
    try:
        return await fetch(url, MAX_IMAGE_BYTES)
    except InvalidInput as error:
        raise InvalidInput(
            f"{what}: {error}; send the picture itself as base64, or have the operator add the host to 'image_hosts'"
        ) from None
    except UpstreamFailed as error:
        raise type(error)(f"{what} could not be fetched: {error}") from None
