"""Values of tables in which a text may be no UTF-8: one such text must not end a look at ten million rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

BROKEN = "\N{REPLACEMENT CHARACTER}"
"""Stands where bytes were no text."""


def rows_of(block: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows of a block; in a text that is no UTF-8 the bytes that are none become `BROKEN`."""
    try:
        return block.to_pylist()
    except UnicodeDecodeError:
        columns = [_values(column) for column in block.columns]
        return [dict(zip(block.schema.names, values, strict=True)) for values in zip(*columns, strict=True)]


def _values(column: pa.Array) -> list[Any]:
    try:
        return column.to_pylist()
    except UnicodeDecodeError:
        return [_readable(value, column.type) for value in column.cast(_as_bytes(column.type)).to_pylist()]


def _as_bytes(kind: pa.DataType) -> pa.DataType:
    """The same type with bytes for texts."""
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _as_bytes(field.type)) for field in kind])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = _as_bytes(kind.value_type)
        return pa.list_(inner) if pa.types.is_list(kind) else pa.large_list(inner)
    if pa.types.is_dictionary(kind):
        return _as_bytes(kind.value_type)
    return pa.binary() if pa.types.is_string(kind) else pa.large_binary() if pa.types.is_large_string(kind) else kind


def _readable(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return {field.name: _readable(value[field.name], field.type) for field in kind}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [_readable(one, kind.value_type) for one in value]
    if pa.types.is_dictionary(kind):
        return _readable(value, kind.value_type)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return value.decode("utf-8", errors="replace")
    return value
