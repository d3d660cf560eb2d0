"""Templates of mails: what they may say, and that a value is never more than text."""

from __future__ import annotations

from leads.domain import mail_templates as rules

VALUES = {"first_name": "Lena", "company": "{{ sender_email }}", "sender_name": "Rita", "sender_email": "r@x"}


def test_fields_are_filled_and_values_are_not_read_again() -> None:
    text = "Hello {{first_name}}, of {{ company }}: {{ sender_name }} {{ password }} { first_name }"
    assert rules.fill(text, VALUES) == (
        "Hello Lena, of {{ sender_email }}: Rita {{ password }} { first_name }"
    )


def test_unknown_fields_and_blank_values_are_named() -> None:
    assert rules.unknown_fields("{{ first_name }} {{ password }} {{ __class__ }} {{ password }}") == [
        "password",
        "__class__",
    ]
    assert rules.missing_values(["{{ title }} {{ first_name }}"], VALUES) == ["title"]


def test_a_subject_is_one_line() -> None:
    assert rules.one_line("Hello\r\nBcc: everybody@example.com\x00 ") == "Hello Bcc: everybody@example.com"
    assert len(rules.one_line("x" * 500)) == rules.LONGEST_SUBJECT
