"""Domain packs that other distributions bring, by entry points of the group ``ragsvc.domains``.

In a distribution's pyproject.toml::

    [project.entry-points."ragsvc.domains"]
    physics = "ragsvc_physics:PACK"
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from ragsvc.errors import SettingsError

GROUP = "ragsvc.domains"
BUILT_IN = ("general", "law", "medicine", "finance")


@cache
def declared() -> dict[str, tuple[EntryPoint, ...]]:
    """Return what the installed distributions declare, by name; nothing of it is imported."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=GROUP):
        found[point.name] = (*found.get(point.name, ()), point)
    return dict(sorted(found.items()))


def domain_names() -> tuple[str, ...]:
    """Return the names of all domains, ours first; a pack that turns out to be broken is listed, too."""
    return (*BUILT_IN, *(name for name in declared() if name not in BUILT_IN))


def load_installed(name: str) -> object:
    """Return what the one distribution that declares domain ``name`` brings.

    Raises:
        SettingsError: it cannot be imported; the message names the distribution and what went wrong.
    """
    [point] = declared()[name]
    try:
        return point.load()
    except Exception as error:  # a stranger's module may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise SettingsError(
            f"domain {name!r}: {point.value!r} of {distribution_of(point)} cannot be imported ({reason}); "
            "mend or uninstall that distribution"
        ) from error


def check_name(name: str) -> None:
    """Refuse a name that more than one pack has: which of them is meant could only be guessed.

    Raises:
        SettingsError: naming the distributions.
    """
    points = declared().get(name, ())
    owners = [distribution_of(point) for point in points]
    if points and name in BUILT_IN:
        raise SettingsError(f"domain {name!r} is built in; {' and '.join(owners)} declares it, too: uninstall it")
    if len(points) > 1:
        raise SettingsError(f"domain {name!r} is declared by {' and by '.join(owners)}: uninstall all but one of them")


def distribution_of(point: EntryPoint) -> str:
    """Return name and version of the distribution that declares an entry point."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unnamed distribution"
