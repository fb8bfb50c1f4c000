"""Why one row or one start failed, as a text for its table: the others go on."""

from nullmode._support.types import InputError


def reason(error: Exception) -> str:
    """Say in one line why something failed; errors that are not ours begin with their kind."""
    text = " ".join(str(error).split())
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}".removesuffix(": ")
