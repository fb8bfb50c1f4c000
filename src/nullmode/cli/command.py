"""A command that says what an unknown option was probably meant to be."""

from typing import Any

from typer.core import TyperCommand

from nullmode._support.variants import load, meant
from nullmode.descriptors import DESCRIPTORS


class Command(TyperCommand):
    """A command of Typer; an unknown option gets a suggestion as an unknown key of the configuration does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, as Typer does."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:  # Typer does not export the class of errors of unknown options
            unknown = getattr(error, "possibilities", False)
            option = str(getattr(error, "option_name", ""))
            if unknown is not False and (suggestion := self._suggestion(option.lstrip("-").replace("-", "_"))):
                fault: Any = error
                fault.message, fault.possibilities = f"No such option: {option}. {suggestion}", None
            raise

    def _suggestion(self, name: str) -> str:
        options = {str(option.name): option.opts[0] for option in self.params if option.param_type_name == "option"}
        if close := meant(name, list(options)):
            return f"Did you mean {options[close]}?"
        if "parameter" in options:
            known = {field for kind in DESCRIPTORS for field in load(kind, DESCRIPTORS, "").__dataclass_fields__}
            if close := name if name in known else meant(name, sorted(known)):
                return f"Did you mean --parameter {close}=...?"
        return ""
