"""What an encoder was trained on, as the ``training.json`` beside its weights says."""

from __future__ import annotations

import json
from pathlib import Path

from ragsvc.errors import InvalidInput

FILE_NAME = "training.json"


def read_data_sets(folder: Path) -> tuple[str, ...]:
    """Return the names of the data sets in ``folder/training.json``; empty if there is no such file.

    Raises:
        InvalidInput: the file is not a JSON object with ``data: [{"name": …}]``.
    """
    path = folder / FILE_NAME
    try:
        return tuple(str(entry["name"]) for entry in json.loads(path.read_text("utf-8"))["data"])
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f'{path.absolute()} was read for the data that the encoder was trained on, expected {{"data": '
            f'[{{"name": …}}]}}; found: {error!r}. Mend or remove the file.'
        ) from error
