"""Fit: how well a lead matches who we want, as a sum of signed criteria clamped to 0–100.

A criterion reads one attribute, compares it and gives its points when it matches. What is unknown gives 0
points, never fewer. The explanation lists every criterion and always adds up to the score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

ROOTS = ("person", "company", "lead", "attributes", "properties")
OPERATORS = (
    "equals", "not_equals", "in", "not_in", "at_least", "at_most", "range",
    "contains", "not_contains", "matches", "known", "unknown",
)  # fmt: skip
MAX_TEXT = 1000
MAX_PATTERN = 200
MAX_CHOICES = 500
REMEMBERED = 20_000
LOWEST, HIGHEST = 0, 100
NUMERIC = frozenset({"at_least", "at_most", "range"})
WITHOUT_VALUE = frozenset({"known", "unknown"})
NEGATED = {"not_equals": "equals", "not_in": "in", "not_contains": "contains"}

Outcome = Literal["matched", "not_matched", "unknown"]
Facts = Mapping[str, Any]

WORDS = {
    "equals": "is {value}", "not_equals": "is not {value}", "in": "is one of {value}",
    "not_in": "is none of {value}", "at_least": "is at least {value}", "at_most": "is at most {value}",
    "range": "is between {value}", "contains": "contains {value}", "not_contains": "does not contain {value}",
    "matches": "looks like {value}", "known": "is known", "unknown": "is not known",
}  # fmt: skip
# Names of attributes that don't say by themselves what is compared.
NOUNS = {"employees": "number of employees"}
# What is asked in a way that "the person's x is y" does not say well.
PHRASES = {
    ("person.has_work_email", "equals", True): "the person's e-mail address is one of a company",
    ("person.has_work_email", "equals", False): "the person's e-mail address is a private one",
    ("person.do_not_contact", "equals", True): "the person asked not to be contacted",
    ("person.is_customer", "equals", True): "the person is a customer already",
    ("person.is_customer", "equals", False): "the person is no customer yet",
    ("company.is_customer", "equals", True): "the company is a customer already",
    ("company.is_customer", "equals", False): "the company is no customer yet",
    ("facts.is_delivered", "equals", True): "the lead was delivered to sales",
    ("facts.is_delivered", "equals", False): "the lead was never delivered to sales",
    ("facts.is_accepted", "equals", True): "sales has accepted the lead",
    ("facts.is_accepted", "equals", False): "sales has not accepted the lead",
    ("facts.has_need", "equals", True): "the lead's need is recorded",
    ("facts.has_need", "equals", False): "the lead's need is not recorded",
}
ROOT_WORDS = {
    "person": "the person's", "company": "the company's", "lead": "the lead's", "attributes": "the attribute",
    "properties": "the event's", "score": "the score's", "facts": "the lead's",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one attribute: ``path`` like "company.employees" or "attributes.segment"."""

    path: str
    operator: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """A condition worth points (positive or negative). ``key`` is stable within a definition."""

    key: str
    condition: Condition
    points: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an explanation. ``points`` is what the criterion gave, 0 unless it matched."""

    key: str
    sentence: str
    outcome: Outcome
    points: int


@dataclass(frozen=True, slots=True)
class Fit:
    """The score, its lines, and what clamping to 0–100 took or gave: Σ points + clamped = score."""

    score: int
    lines: tuple[Line, ...]
    clamped: int

    def to_json(self) -> dict[str, Any]:
        """The form kept beside the score."""
        lines = [
            {"key": x.key, "sentence": x.sentence, "outcome": x.outcome, "points": x.points}
            for x in self.lines
        ]
        return {"score": self.score, "clamped": self.clamped, "lines": lines}


def look_up(facts: Facts, path: str) -> Any:
    """The value at a dotted path, or None. Blank text, empty lists and missing steps are None (unknown)."""
    return _known(_walk(facts, path.split(".")))


def holds(condition: Condition, facts: Facts) -> bool | None:
    """Does the condition hold? None when the attribute is unknown (or is no number where one is compared).

    An attribute with several values holds when one of them does; a negated operator when none does.
    """
    return _answer(condition.operator, look_up(facts, condition.path), condition.value)


class Matcher:
    """A condition for many leads: answers as ``holds`` does, and remembers what each value answered."""

    __slots__ = ("_memory", "_steps", "condition")

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self._steps = condition.path.split(".")
        self._memory: dict[tuple[type, Any], bool | None] = {}

    def holds(self, facts: Facts) -> bool | None:
        """Does the condition hold for these facts?"""
        value = _walk(facts, self._steps)
        try:
            return self._memory[value.__class__, value]
        except KeyError:
            answer = self._read(value)
            if len(self._memory) < REMEMBERED:
                self._memory[value.__class__, value] = answer
            return answer
        except TypeError:  # a list can't be a key
            return self._read(value)

    def _read(self, value: Any) -> bool | None:
        return _answer(self.condition.operator, _known(value), self.condition.value)


class Scorer:
    """Criteria for many leads: the score of ``evaluate`` without its explanation, some ten times faster."""

    __slots__ = ("_parts",)

    def __init__(self, criteria: Iterable[Criterion]) -> None:
        self._parts = [(Matcher(criterion.condition).holds, criterion.points) for criterion in criteria]

    def score(self, facts: Facts) -> int:
        """The fit of these facts, 0–100."""
        raw = sum(points for matches, points in self._parts if matches(facts))
        return min(max(raw, LOWEST), HIGHEST)


def evaluate(criteria: Iterable[Criterion], facts: Facts) -> Fit:
    """Score ``facts``, for example {"person": {…}, "company": {…}, "lead": {…}, "attributes": {…}}."""
    lines = []
    for criterion in criteria:
        answer = holds(criterion.condition, facts)
        outcome: Outcome = "unknown" if answer is None else "matched" if answer else "not_matched"
        points = criterion.points if answer else 0
        lines.append(Line(criterion.key, describe(criterion.condition), outcome, points))
    raw = sum(line.points for line in lines)
    score = min(max(raw, LOWEST), HIGHEST)
    return Fit(score, tuple(lines), score - raw)


def band(score: float, bands: Mapping[str, float]) -> str:
    """The band whose threshold the score reaches first, from the best; "C" below all ({"A": 70, "B": 40})."""
    if score >= bands["A"]:
        return "A"
    return "B" if score >= bands["B"] else "C"


def describe(condition: Condition) -> str:
    """The condition in plain words: "the company's number of employees is at least 50"."""
    value = condition.value
    if isinstance(value, bool) and (condition.path, condition.operator, value) in PHRASES:
        return PHRASES[condition.path, condition.operator, value]
    root, _, name = condition.path.partition(".")
    noun = NOUNS.get(name, name.replace("_", " ").replace(".", " "))
    subject = f"{ROOT_WORDS.get(root, root)} {noun}".strip()
    if condition.operator == "range" and isinstance(value, list | tuple) and len(value) == 2:
        text = f"{_plain(value[0])} and {_plain(value[1])}"
    elif isinstance(value, list | tuple):
        text = ", ".join(_plain(item) for item in value)
    elif condition.operator == "matches":
        return f"{subject} {_pattern(str(value))}"
    else:
        text = _plain(value)
    return f"{subject} {WORDS[condition.operator].format(value=text)}"


def _pattern(pattern: str) -> str:
    """A pattern with stars at its ends only, in words."""
    inner = pattern.strip("*")
    if not inner or any(sign in inner for sign in "*?"):
        return f"looks like “{pattern}”"
    before, after = pattern.startswith("*"), pattern.endswith("*")
    if before and after:
        return f"contains “{inner}”"
    if before or after:
        return f"{'ends' if before else 'begins'} with “{inner}”"
    return f"is “{inner}”"


def sentence(criterion: Criterion) -> str:
    """The criterion in plain words: "+20 when the company's number of employees is at least 50"."""
    return f"{criterion.points:+d} when {describe(criterion.condition)}"


def wildcard(pattern: str, text: str) -> bool:
    """Does ``text`` look like ``pattern``, where * is any run of characters and ? is one?

    Case does not matter. Takes at most pattern × text steps, so a hostile pattern costs nothing.
    """
    p, t = pattern.casefold()[:MAX_PATTERN], text.casefold()[:MAX_TEXT]
    i = j = 0
    star, mark = -1, 0
    while j < len(t):
        if i < len(p) and p[i] == "*":
            star, mark = i, j
            i += 1
        elif i < len(p) and (p[i] == "?" or p[i] == t[j]):
            i, j = i + 1, j + 1
        elif star >= 0:
            mark += 1
            i, j = star + 1, mark
        else:
            return False
    return all(character == "*" for character in p[i:])


def number(value: Any) -> Decimal | None:
    """A finite number from a number or plain ASCII text; None otherwise. True and False are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    if isinstance(value, str) and (len(value) > 40 or not value.isascii() or "_" in value):
        return None
    try:
        result = Decimal(value if isinstance(value, int | Decimal) else str(value).strip())
    except InvalidOperation:
        return None
    return result if result.is_finite() else None


def _walk(facts: Facts, steps: list[str]) -> Any:
    node: Any = facts
    for step in steps:
        # Nearly all are dicts, and asking an abstract class costs more than all the rest.
        if node.__class__ is not dict and not isinstance(node, Mapping):
            return None
        node = node.get(step)
    return node


def _known(value: Any) -> Any:
    """The value, trimmed and bounded; None for what says nothing."""
    if isinstance(value, str):
        value = value.strip()[:MAX_TEXT]
    if value is None or value == "" or (isinstance(value, list | tuple | set | frozenset) and not value):
        return None
    return value


def _answer(operator: str, found: Any, wanted: Any) -> bool | None:
    if operator in WITHOUT_VALUE:
        return (found is not None) == (operator == "known")
    if found is None:
        return None
    positive = NEGATED.get(operator)
    if positive is not None:
        opposite = _answer(positive, found, wanted)
        return None if opposite is None else not opposite
    values = list(found) if isinstance(found, list | tuple | set | frozenset) else [found]
    answers = [_compare(operator, value, wanted) for value in values]
    if any(answer is True for answer in answers):
        return True
    return None if all(answer is None for answer in answers) else False


def _compare(operator: str, found: Any, wanted: Any) -> bool | None:
    if operator in NUMERIC:
        return _compare_numbers(operator, found, wanted)
    if operator == "in":
        return any(_same(found, item) for item in wanted)
    if operator == "equals":
        return _same(found, wanted)
    text = str(found)
    if operator == "contains":
        return str(wanted).strip().casefold() in text.casefold()
    return wildcard(str(wanted), text)


def _compare_numbers(operator: str, found: Any, wanted: Any) -> bool | None:
    actual = number(found)
    if actual is None:
        return None
    low, high = wanted if operator == "range" else (wanted, wanted)
    lower, upper = number(low), number(high)
    if lower is None or upper is None:
        return None
    return (operator == "at_most" or actual >= lower) and (operator == "at_least" or actual <= upper)


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return _folded(found) == _folded(wanted)
    left, right = number(found), number(wanted)
    if left is not None and right is not None:
        return left == right
    return _folded(found) == _folded(wanted)


def _folded(value: Any) -> str:
    return str(value).strip()[:MAX_TEXT].casefold()


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"“{value}”"
    return f"{value:,}" if isinstance(value, int) else str(value)
