"""A picture of a page (.png, .jpg, .tiff), read by text recognition like a scanned PDF."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from io import BytesIO

from ragsvc.errors import UnreadableFile
from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.limits import LoadingLimits
from ragsvc.loading.pdf import assemble_pages
from ragsvc.loading.pdf_pages import Pages
from ragsvc.loading.recognition import DPI, recognise, why_unavailable


def read_picture(content: bytes, name: str, limits: LoadingLimits, alive: Callable[[], object] = bool) -> TextAssembly:
    """Return the text in a picture; each frame of a TIFF is a page.

    Raises:
        UnreadableFile: damaged, too large, or nothing here can read pictures.
    """
    from PIL import Image, ImageSequence, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # measured here, before a pixel is decoded
    pages = Pages()
    try:
        with Image.open(BytesIO(content)) as picture:
            for number, frame in enumerate(ImageSequence.Iterator(picture), 1):
                width, height = frame.size
                if width * height > limits.picture_pixels:
                    raise UnreadableFile(
                        name, f"has {width:,} x {height:,} pixels; at most {limits.picture_pixels:,} are read"
                    )
                if number > limits.pages:
                    raise UnreadableFile(name, f"has more than {limits.pages:,} frames: split it")
                if problem := why_unavailable():
                    raise UnreadableFile(name, f"is a picture: {problem}")
                pages.add_recognised(number, recognise(frame, number, 72 / DPI))
                alive()
    except (UnidentifiedImageError, OSError, SyntaxError, EOFError) as error:
        raise UnreadableFile(name, f"is a damaged picture: {error}") from error
    except subprocess.SubprocessError as error:
        raise UnreadableFile(name, f"text recognition failed: {type(error).__name__}") from error
    return assemble_pages(pages)
