"""What is computed once on a machine: bytes in the user's cache, each file with a checksum at its end."""

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256

from nullmode._support.files import cache_folder, written

_SEAL = sha256().digest_size
_MOST_BYTES = 500_000_000
"""Of one kind: beyond, the older half is removed."""


def seal(content: bytes) -> bytes:
    """Give the checksum that stands behind the content of a file."""
    return sha256(content).digest()


def unsealed(content: bytes) -> bytes | None:
    """Give what stands before the checksum of a file; None if it is damaged."""
    inner, end = content[:-_SEAL], content[-_SEAL:]
    return inner if seal(inner) == end else None


def remembered(kind: str, key: bytes, make: Callable[[], bytes]) -> bytes:
    """Give what was made before under a key; what is missing or damaged is made anew."""
    folder = cache_folder() / kind
    file = folder / sha256(key).hexdigest()
    with suppress(OSError):
        if (kept := unsealed(file.read_bytes())) is not None:
            return kept
    made = make()
    # A cache that cannot be written costs time only.
    with suppress(OSError):
        with written(file) as temporary:
            temporary.write_bytes(made + seal(made))
        files = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in folder.iterdir())
        if sum(size for _, size, _ in files) > _MOST_BYTES:
            for _, _, path in files[: len(files) // 2 + 1]:
                path.unlink(missing_ok=True)
    return made
