"""Conventions that imports can't show, as tests over the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey

from tests.architecture.source import APPS, ROOT, Module, modules, templates

# Exceptions with their reasons; a longer list is a smell.
LONG_MODULES: dict[str, str] = {}
LONG_TEMPLATES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}

# Tables of which an installation may hold millions of rows: a new index must not keep writers waiting.
BIG = frozenset(
    [
        "activity",
        "assignment",
        "clock",
        "consententry",
        "event",
        "identityclaim",
        "interest",
        "lead",
        "leadscore",
        "leadstate",
        "person",
        "personemail",
        "personphone",
        "personref",
        "session",
        "stagetransition",
        "touchpoint",
        "visitor",
    ]
)
# No release came before these, so no installation runs them over many rows.
BEFORE_ANY_RELEASE = {
    "leads/0005_visitors_and_identity",
    "sla/0003_clock_pauses_and_ends",
    "sla/0007_clock_kinds_and_pause_limits",
}

WRITES = {
    "save",
    "create",
    "get_or_create",
    "update_or_create",
    "bulk_create",
    "bulk_update",
    "delete",
    "update",
}
# Downstream may point upstream, never the other way.
ORDER = ["reporting", "sla", "funnel", "leads", "web", "notifications", "audit", "users", "core"]


def listed(problems: list[str]) -> str:
    return "\n" + "\n".join(problems)


def functions(module: Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1


def test_modules_stay_short() -> None:
    long = [
        f"{m.path}: {lines} lines"
        for m in modules()
        if (lines := m.text.count("\n")) > 400 and m.path not in LONG_MODULES
    ]
    assert not long, listed(long)


def test_functions_stay_short() -> None:
    long = [
        f"{m.path}:{node.lineno} {node.name}: {lines} lines"
        for m in modules()
        for node, lines in functions(m)
        if lines > 50 and f"{m.path}:{node.name}" not in LONG_FUNCTIONS
    ]
    assert not long, listed(long)


def test_templates_stay_short() -> None:
    long = [
        f"{path}: {lines} lines"
        for path, text in templates()
        if (lines := text.count("\n")) > 120 and path not in LONG_TEMPLATES
    ]
    assert not long, listed(long)


def test_no_module_is_called_utils_helpers_or_common() -> None:
    bad = [m.path for m in modules() if Path(m.path).stem in {"utils", "helpers", "common", "misc"}]
    assert not bad, listed(bad)


def test_the_clock_is_read_only_in_core_clock() -> None:
    reads = re.compile(
        r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|timezone\.(now|localdate)|time\.time)$"
    )
    bad = [
        f"{m.path}:{call.lineno} {name}"
        for m in modules()
        if m.path != "smarketing/core/clock.py"
        for call, name in m.calls()
        if reads.search(name)
    ]
    assert not bad, listed(bad)


def test_now_is_asked_for_only_at_the_edges() -> None:
    inner = {"services", "selectors", "domain", "reports", "subscribers", "events"}
    bad = [
        f"{m.path}:{call.lineno}"
        for m in modules()
        if m.app in APPS and m.layer in inner
        for call, name in m.calls()
        if name == "clock.now"
    ]
    assert not bad, listed(bad)


def test_domain_rules_are_plain_python() -> None:
    frameworks = {"django", "rest_framework", "celery"}
    bad = [
        f"{m.path}:{line} imports {name}"
        for m in modules()
        if "/domain/" in m.path
        for name, line in imported(m)
        if name.split(".")[0] in frameworks
    ]
    assert not bad, listed(bad)


def imported(module: Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.lineno


def test_writes_stand_only_in_services() -> None:
    may_write = {"services", "management"}
    bad = [
        f"{m.path}:{call.lineno} {name}"
        for m in modules()
        if m.app in APPS and m.layer not in may_write
        for call, name in m.calls()
        if is_write(call, name.rpartition(".")[2])
    ]
    assert not bad, listed(bad)


def is_write(call: ast.Call, verb: str) -> bool:
    """Whether the call ends a chain that began at a manager, or saves a model."""
    if verb not in WRITES:
        return False
    if verb == "save":
        return any(keyword.arg == "update_fields" for keyword in call.keywords)
    return ".objects" in ast.unparse(call.func)


def test_saves_name_their_fields() -> None:
    bad = [
        f"{m.path}:{call.lineno} {name}"
        for m in modules()
        if m.layer == "services"
        for call, name in m.calls()
        if name.endswith(".save")
        and not any(keyword.arg in {"update_fields", "force_insert"} for keyword in call.keywords)
    ]
    assert not bad, listed(bad)


def test_nothing_is_sent_to_celery_but_by_the_loops() -> None:
    senders = {"smarketing/core/loops.py", "smarketing/celery.py"}
    bad = [
        f"{m.path}:{call.lineno} {name}"
        for m in modules()
        if m.path not in senders
        for call, name in m.calls()
        if name.rpartition(".")[2] in {"delay", "apply_async", "send_task", "delay_on_commit"}
    ]
    assert not bad, listed(bad)


def test_no_signal_carries_a_business_step() -> None:
    bad = [
        m.path
        for m in modules()
        if m.app in APPS and re.search(r"\b(post|pre)_(save|delete)\b|@receiver", m.text)
    ]
    assert not bad, listed(bad)


def test_no_filter_takes_a_dictionary_from_a_request() -> None:
    bad = [
        f"{m.path}:{call.lineno}"
        for m in modules()
        for call, name in m.calls()
        if name.rpartition(".")[2] in {"filter", "exclude", "get", "create", "update"}
        for keyword in call.keywords
        if keyword.arg is None
        and re.search(r"request|query_params|\bGET\b|\bPOST\b", ast.unparse(keyword.value))
    ]
    assert not bad, listed(bad)


def test_text_is_marked_safe_in_one_reviewed_place() -> None:
    reviewed = {"smarketing/web/markup.py"}
    bad = [m.path for m in modules() if re.search(r"\bmark_safe\(", m.text) and m.path not in reviewed]
    bad += [path for path, text in templates() if re.search(r"\|\s*safe\b|autoescape off", text)]
    assert not bad, listed(bad)


def test_foreign_keys_point_upstream() -> None:
    bad = []
    for model in apps.get_models():
        label = model._meta.app_label
        for field in model._meta.get_fields():
            if label in ORDER and isinstance(field, ForeignKey):
                target = field.related_model._meta.app_label
                if target in ORDER and ORDER.index(target) < ORDER.index(label):
                    bad.append(f"{model.__name__}.{field.name} -> {target}")
    assert not bad, listed(bad)


@pytest.mark.parametrize("app", [*APPS, "core", "users", "audit", "notifications", "web"])
def test_migrations_are_named_by_intent_and_import_no_app(app: str) -> None:
    folder = ROOT / app if app in APPS else ROOT / "smarketing" / app
    bad, numbers = [], []
    for path in sorted((folder / "migrations").glob("[0-9]*.py")):
        numbers.append(path.name[:4])
        if re.search(r"_(auto|initial|alter|merge|remove|rename)(_|\b)|\d{8}", path.stem[4:]):
            bad.append(f"{path.name}: name it by intent")
        for found in re.findall(r"^(?:from|import) ([\w.]+)", path.read_text(), re.M):
            head = found.split(".")[0]
            if head in APPS or (head == "smarketing" and not found.startswith("smarketing.core")):
                bad.append(f"{path.name} imports {found}")
    assert numbers == sorted(set(numbers)), f"doubled numbers in {app}: {numbers}"
    assert not bad, listed(bad)


@pytest.mark.parametrize("app", APPS)
def test_indexes_of_big_tables_are_built_concurrently(app: str) -> None:
    bad = []
    for path in sorted((ROOT / app / "migrations").glob("[0-9]*.py")):
        text = path.read_text()
        new = {name.lower() for name in re.findall(r'CreateModel\(\s*name="(\w+)"', text)}
        for model in re.findall(r'migrations\.AddIndex\(\s*model_name="(\w+)"', text):
            if model in BIG - new and f"{app}/{path.stem}" not in BEFORE_ANY_RELEASE:
                bad.append(f"{app}/{path.name}: AddIndexConcurrently for {model}, in a migration of its own")
    assert not bad, listed(bad)


def test_every_model_is_named_in_a_test() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    missing = [
        model.__name__
        for model in apps.get_models()
        if model.__module__.split(".")[0] in {*APPS, "smarketing"}
        and not re.search(rf"\b{model.__name__}\b", text)
    ]
    assert not missing, listed(missing)


def test_services_are_keyword_only_and_never_take_a_request() -> None:
    bad = []
    for m in modules():
        if m.layer != "services" or m.app not in APPS:
            continue
        for node in m.tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
                if names:
                    bad.append(f"{m.path}:{node.lineno} {node.name}({', '.join(names)}): keyword-only")
                if "request" in [a.arg for a in node.args.kwonlyargs]:
                    bad.append(f"{m.path}:{node.lineno} {node.name} takes a request")
    assert not bad, listed(bad)


def test_public_functions_and_classes_have_docstrings() -> None:
    bad = [
        f"{m.path}:{node.lineno} {node.name}"
        for m in modules()
        for node in m.tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not bad, listed(bad)


def test_modules_say_what_they_are_for() -> None:
    bad = [m.path for m in modules() if m.text.strip() and not ast.get_docstring(m.tree)]
    assert not bad, listed(bad)


def test_packages_re_export_nothing_but_models() -> None:
    bad = [
        m.path
        for m in modules()
        if m.path.endswith("__init__.py") and "/models/" not in m.path and list(imported(m))
    ]
    assert not bad, listed(bad)


def test_nothing_names_the_machine_it_was_written_on() -> None:
    aside = {"node_modules", ".venv", "var", ".git"}
    bad = [
        str(path.relative_to(ROOT))
        for pattern in ("*.md", "*.toml", "*.sh", "*.py")
        for path in ROOT.rglob(pattern)
        if not aside & set(path.relative_to(ROOT).parts)
        and path != Path(__file__)
        and re.search(r"(^|[^A-Za-z0-9_.])/(work|farm)/", path.read_text())
    ]
    assert not bad, listed(bad)
