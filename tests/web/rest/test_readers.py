"""A kept serializer forgets the request it served."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework import serializers

from smarketing.web.rest import readers


class Plain(serializers.Serializer[Any]):
    who = serializers.SerializerMethodField()
    number = serializers.IntegerField(min_value=1)

    def validate_number(self, value: int) -> int:
        return value * int(self.context["factor"])


class Kept(Plain):
    is_kept = True
    inner = Plain(required=False)


def test_a_kept_reader_is_the_same_and_reads_by_the_context_of_its_use() -> None:
    seen = []
    for factor in (2, 3):
        with readers.reader(Kept, {"factor": factor}) as reader:
            seen.append(reader)
            assert reader.run_validation({"number": 5, "inner": {"number": 1}}) == {
                "number": 5 * factor, "inner": {"number": factor},
            }  # fmt: skip
    assert seen[0] is seen[1]
    assert seen[0].context == {}


def test_a_refusal_leaves_no_trace_in_a_kept_reader() -> None:
    with pytest.raises(serializers.ValidationError), readers.reader(Kept, {"factor": 1}) as reader:
        reader.run_validation({"number": 0})
    with readers.reader(Kept, {"factor": 1}) as reader:
        assert reader.context == {"factor": 1}
        assert reader.run_validation({"number": 4}) == {"number": 4}


def test_partial_and_whole_bodies_have_readers_of_their_own() -> None:
    with readers.reader(Kept, {"factor": 1}, partial=True) as reader:
        assert reader.run_validation({}) == {}
    with pytest.raises(serializers.ValidationError), readers.reader(Kept, {"factor": 1}) as reader:
        reader.run_validation({})


def test_any_other_serializer_is_made_anew() -> None:
    with readers.reader(Plain, {"factor": 1}) as one, readers.reader(Plain, {"factor": 1}) as two:
        assert one is not two
