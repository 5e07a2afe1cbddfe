"""What a model's folder says of itself: ``training.json`` beside the weights, and the head of its ``README.md``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ragsvc.errors import InvalidInput

FILE_NAME = "training.json"
MODEL_CARD = "README.md"


def read_data_sets(folder: Path) -> tuple[str, ...]:
    """Return the names of the data sets that the model was trained on; empty if its folder does not say.

    ``training.json`` says it, else ``datasets`` in the model card: huggingface.co/docs/hub/model-cards.

    Raises:
        InvalidInput: ``training.json`` is not a JSON object with ``data: [{"name": …}]``.
    """
    path = folder / FILE_NAME
    try:
        return tuple(str(entry["name"]) for entry in json.loads(path.read_text("utf-8"))["data"])
    except (FileNotFoundError, NotADirectoryError):
        return data_sets_of_card(read_model_card(folder / MODEL_CARD))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f'{path.absolute()} was read for the data that the encoder was trained on, expected {{"data": '
            f'[{{"name": …}}]}}; found: {error!r}. Mend or remove the file.'
        ) from error


def read_model_card(path: Path) -> dict[str, Any]:
    """Return the YAML head of a model card; empty where there is none that can be read."""
    if not path.is_file():
        return {}
    from huggingface_hub.repocard import metadata_load
    from yaml import YAMLError  # type: ignore[import-untyped]

    try:
        return metadata_load(path) or {}
    except (OSError, ValueError, YAMLError):
        return {}


def data_sets_of_card(card: dict[str, Any]) -> tuple[str, ...]:
    """Return ``datasets`` of a model card's head."""
    names = card.get("datasets") or []
    return tuple(map(str, names if isinstance(names, list) else [names]))
