"""The statuses of a row: whether its rank can be trusted, and if not, why."""

from typing import Literal

Status = Literal["ok", "no_neighbours", "rtol_below_floor", "rtol_below_error", "not_finite", "failed", "bad_structure"]
