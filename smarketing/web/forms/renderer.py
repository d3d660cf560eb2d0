"""Widgets that a page has by the dozen, written without templates.

Django's templates of a select and of a group of boxes include two more for each choice: the filters of
one list took a third of its page. The same HTML is made here; every other widget is rendered by its
template as before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.forms.renderers import TemplatesSetting
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from smarketing.web.markup import filled, together

Widget = Mapping[str, Any]


class QuickWidgets(TemplatesSetting):
    """Django's renderer by the project's templates, short-cut for the widgets in :data:`_QUICK`."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        """The HTML of a widget."""
        write = _QUICK.get(template_name)
        if write is None:
            return super().render(template_name, context, request)
        return write(context["widget"])


def _select(widget: Widget) -> SafeString:
    parts: list[SafeString] = []
    for group, options, _index in widget["optgroups"]:
        shown = [filled("\n  {}", _option(option)) for option in options]
        form = '\n  <optgroup label="{}">{}\n  </optgroup>'
        parts += [filled(form, _text(group), together(shown))] if group else shown
    return filled('<select name="{}"{}>{}\n</select>', widget["name"], _attributes(widget), together(parts))


def _option(option: Widget) -> SafeString:
    return filled(
        '<option value="{}"{}>{}</option>', option["value"], _attributes(option), _text(option["label"])
    )


def _boxes(widget: Widget) -> SafeString:
    tied = {name: widget["attrs"][name] for name in ("id", "class") if widget["attrs"].get(name)}
    parts: list[SafeString] = []
    for group, options, _index in widget["optgroups"]:
        shown = [filled("<div>\n    {}</div>", _box(option)) for option in options]
        form = "\n  <div><label>{}</label>{}\n  </div>"
        parts += [filled(form, _text(group), together(shown))] if group else shown
    return filled("<div{}>{}\n</div>", _attributes({"attrs": tied}), together(parts))


def _box(option: Widget) -> SafeString:
    if not option.get("wrap_label"):
        return _input(option)
    key = option["attrs"].get("id")
    tied = filled(' for="{}"', key) if key else ""
    return filled("<label{}>{} {}</label>", tied, _input(option), _text(option["label"]))


def _input(widget: Widget) -> SafeString:
    value = filled(' value="{}"', widget["value"]) if widget["value"] is not None else ""
    form = '<input type="{}" name="{}"{}{}>'
    return filled(form, widget["type"], widget["name"], value, _attributes(widget))


def _attributes(widget: Widget) -> SafeString:
    return together(
        filled(" {}", name) if value is True else filled(' {}="{}"', name, value)
        for name, value in widget["attrs"].items()
        if value is not False
    )


def _text(value: Any) -> Any:
    """As ``{{ value }}``: a number is written in the viewer's format."""
    return value if isinstance(value, str | Promise) else localize(value)


_FOLDER = "django/forms/widgets"
_QUICK: dict[str, Callable[[Widget], SafeString]] = {
    f"{_FOLDER}/select.html": _select,
    f"{_FOLDER}/checkbox_select.html": _boxes,
    f"{_FOLDER}/radio.html": _boxes,
    **dict.fromkeys([f"{_FOLDER}/{n}.html" for n in ("text", "number", "date", "email", "checkbox")], _input),
}
