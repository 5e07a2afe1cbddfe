"""Slides (.pptx) by unstructured: the number of a slide is its page, its notes come first."""

from __future__ import annotations

from io import BytesIO

from ragsvc.errors import UnreadableFile
from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.containers import check_zip
from ragsvc.loading.elements import add_elements, stay_offline
from ragsvc.loading.limits import LoadingLimits


def read_pptx(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return the text of all slides.

    Raises:
        UnreadableFile: no presentation, encrypted, or larger than the limits once expanded.
    """
    members = check_zip(content, name, limits)
    if "ppt/presentation.xml" not in members:
        raise UnreadableFile(name, "is a zip archive but no presentation (it has no ppt/presentation.xml)")
    stay_offline()
    from unstructured.partition.pptx import partition_pptx

    assembly = TextAssembly()
    add_elements(assembly, partition_pptx(file=BytesIO(content), include_slide_notes=True), max_level=1)
    return assembly
