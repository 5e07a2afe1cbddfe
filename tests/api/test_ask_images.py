"""Pictures with a question over HTTP."""

from __future__ import annotations

import base64
import io

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from PIL import Image as Pillow

from tests.api.scripted_service import ScriptedService

Client = TestClient[Litestar]


def picture(kind: str = "PNG", size: int = 6) -> str:
    written = io.BytesIO()
    Pillow.new("RGB", (size, size), "red").save(written, kind, comment=b"SecretPlace")
    return base64.b64encode(written.getvalue()).decode()


def test_pictures_reach_the_service_clean(client: Client, service: ScriptedService) -> None:
    """Base64 and data URLs arrive as pictures without what else stood in the file."""
    images = [f"data:image/jpeg;base64,{picture('JPEG')}", picture()]
    response = client.post("/v1/ask", json={"question": "片子上有什么？", "images": images})
    assert response.status_code == 200, response.text
    (asked,) = service.asked
    assert [image.media_type for image in asked.images] == ["image/jpeg", "image/png"]
    assert not any(b"SecretPlace" in image.data for image in asked.images)


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (["aGVsbG8="], "image 1 is none of JPEG, PNG, WEBP, GIF"),
        (["x"] * 5, "a question may have 4"),
        (["https://example.com/a.png"], "image_hosts"),
        ([7], "images"),
    ],
)
def test_what_is_no_picture_is_400(
    client: Client, service: ScriptedService, images: list[object], complaint: str
) -> None:
    """The problem names the picture and what to do; no model is asked, and the place is given back."""
    for _ in range(service.settings.max_concurrent_asks + 1):
        response = client.post("/v1/ask", json={"question": "片子上有什么？", "images": images})
        assert response.status_code == 400
    assert complaint in response.json()["detail"]
    assert service.asked == []


def test_a_body_with_pictures_has_a_limit_too(client: Client, service: ScriptedService) -> None:
    """413 with both limits, before anything is decoded."""
    body = b'{"question":"q","images":["' + b"A" * 12_000_000 + b'"]}'
    response = client.post("/v1/ask", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert "with images 12,000,000" in response.json()["detail"]
