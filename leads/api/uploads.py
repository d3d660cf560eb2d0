"""Bodies that carry a file: of a form (multipart), or the file itself with parameters in the address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework.parsers import BaseParser, MultiPartParser

from smarketing.web.rest.parsers import Encoded

_PORTION = 1 << 16


@dataclass(frozen=True, slots=True)
class RawFile:
    """A body that is the file; read once, portion by portion."""

    stream: Any

    def chunks(self) -> Iterator[bytes]:
        """The bytes in portions."""
        while portion := self.stream.read(_PORTION):
            yield portion


class RawFileParser(BaseParser):
    """The whole body is the file, whatever it calls itself; it is not read into memory."""

    media_type = "application/octet-stream"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The stream, unread. Raises ``Encoded``."""
        request = (parser_context or {}).get("request")
        if request is not None and request.headers.get("Content-Encoding", "identity") != "identity":
            raise Encoded("Send the body without Content-Encoding.")
        return {"file": RawFile(stream)}


class CsvParser(RawFileParser):
    """``text/csv``."""

    media_type = "text/csv"


class WorkbookParser(RawFileParser):
    """An Excel workbook."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


PARSERS = (MultiPartParser, CsvParser, WorkbookParser, RawFileParser)
