"""How an app is wired at start without imports inside functions.

Each app may have a module ``wiring`` with a function ``connect()``: it subscribes to facts, registers
loops, invariants, panels, navigation and palette entries. It is imported when all models are loaded,
so it imports at its top whatever it needs. ``manage.py show_wiring`` prints the outcome.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class WiredAppConfig(AppConfig):
    """An app whose ``wiring.connect`` runs once, when every app's models are loaded."""

    default_auto_field = "django.db.models.BigAutoField"
    # Django picks the only candidate of a module; this base, imported there, must not be one.
    default = False

    def __init_subclass__(cls) -> None:
        cls.default = True

    def ready(self) -> None:
        module = f"{self.name}.wiring"
        if find_spec(module) is not None:
            import_module(module).connect()
