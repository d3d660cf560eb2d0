"""The project's own source files, parsed once for all conventions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("leads", "funnel", "sla", "reporting")
PACKAGES = (*APPS, "smarketing")


@dataclass(frozen=True)
class Module:
    """One Python file: its path from the root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def app(self) -> str:
        """The top-level package."""
        return self.path.split("/")[0]

    @property
    def layer(self) -> str:
        """The folder or file that tells the layer: "services" of leads/services/people.py."""
        parts = Path(self.path).parts
        inside = parts[2:] if parts[0] == "smarketing" else parts[1:]
        return Path(inside[0]).stem if inside else ""

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Every call with the dotted name that is called, as far as it is a name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node, dotted(node.func)


def dotted(node: ast.expr) -> str:
    """``a.b.c`` for an attribute chain; an unnamed head becomes ``?``."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "?"


@cache
def modules() -> tuple[Module, ...]:
    """All modules of the product, tests and migrations aside."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            relative = path.relative_to(ROOT)
            if {"migrations", "node_modules"} & set(relative.parts):
                continue
            text = path.read_text()
            found.append(Module(str(relative), text, ast.parse(text)))
    return tuple(found)


@cache
def templates() -> tuple[tuple[str, str], ...]:
    """Path and text of every template."""
    return tuple(
        (str(path.relative_to(ROOT)), path.read_text())
        for path in sorted((ROOT / "templates").rglob("*"))
        if path.is_file()
    )
