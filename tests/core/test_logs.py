"""No line of the log holds a secret or somebody's address (T25)."""

from __future__ import annotations

import io
import json
import logging
import logging.config

import pytest
import structlog

from smarketing.core import logs


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def lines(out: io.StringIO) -> logging.Logger:
    logger = logging.getLogger("tests.logs")
    config = logs.configure(form="json", level="INFO", key="k")
    formatter = config["formatters"]["line"]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=formatter["processors"], foreign_pre_chain=formatter["foreign_pre_chain"]
        )
    )
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel("INFO")
    return logger


SECRETS = ["ann.lee@example.com", "a" * 43, "whsec_AbCd+/==", "hunter2", "s3cr3t"]


def test_secrets_are_masked_wherever_they_stand(lines: logging.Logger, out: io.StringIO) -> None:
    lines.info(
        "from %s with sm_ABCDEFGH_%s and whsec_AbCd+/== at postgres://app:hunter2@db/x",
        "ann.lee@example.com",
        "a" * 43,
        extra={"password": "s3cr3t", "deep": {"api_key": "s3cr3t", "list": ["Ann.Lee%40example.com"]}},
    )
    text = out.getvalue()
    assert not [secret for secret in SECRETS if secret.lower() in text.lower()]
    entry = json.loads(text)
    assert "sm_ABCDEFGH_•••" in entry["event"]
    hashed = entry["event"].split("from ")[1].split(" ")[0]
    assert hashed.startswith("email:")
    assert entry["deep"]["list"] == [hashed]
    assert (entry["password"], entry["level"], entry["logger"]) == ("•••", "info", "tests.logs")


def test_a_traceback_is_scrubbed_too(lines: logging.Logger, out: io.StringIO) -> None:
    try:
        raise ValueError("no user ann.lee@example.com")
    except ValueError:
        lines.exception("failed")
    text = out.getvalue()
    assert "ann.lee" not in text
    assert "ValueError" in json.loads(text)["exception"]


def test_a_line_break_in_a_value_makes_no_second_line(lines: logging.Logger, out: io.StringIO) -> None:
    lines.info("name: %s", 'x\n{"level": "error", "event": "forged"}\u2028')
    text = out.getvalue()
    assert len(text.strip().split("\n")) == 1
    assert json.loads(text)["level"] == "info"


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("x", "")],
)
def test_addresses_are_cut(address: str, network: str) -> None:
    assert logs.cut_address(address) == network


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_local_variables(form: str) -> None:
    out = io.StringIO()
    formatter = logs.configure(form=form, level="INFO", key="k")["formatters"]["line"]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=formatter["processors"], foreign_pre_chain=formatter["foreign_pre_chain"]
        )
    )
    logger = logging.getLogger(f"tests.logs.{form}")
    logger.handlers, logger.propagate = [handler], False

    def fail() -> None:
        held = "a local secret"
        raise ValueError(len(held))

    try:
        fail()
    except ValueError:
        logger.exception("failed")
    assert "ValueError: 14" in out.getvalue()
    assert out.getvalue().count("a local secret") == out.getvalue().count('held = "a local secret"')
