"""What is documented of a column of a table, and the types that columns have."""

from typing import NamedTuple

import pyarrow as pa


class Column(NamedTuple):
    """A column of a table: its name, Arrow type, meaning and unit (empty for a pure number or a text)."""

    name: str
    type: pa.DataType
    meaning: str
    unit: str = ""


TEXT, INTEGER, FLOAT = pa.string(), pa.int64(), pa.float64()
