"""Routes: each belongs to one surface and says who may call it; what views and templates name exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, meta
from werkzeug.routing import Rule

from app.web.decorators import find_access
from app.web.hosts import Portal, Surface
from tests.architecture.source import APP, ROOT, place, python_files, report, tree_of

TEMPLATES = ROOT / "templates"
SURFACES = {surface.value for surface in Surface} - {Surface.UNKNOWN.value}
# Not a feature's: files for everybody, and the two probes.
BUILT_IN = {"static", "probes.show_health", "probes.show_readiness"}
VERBS = {"list", "show", "new", "create", "edit", "update", "delete"}
CHANGES = {"create", "update", "delete"}
# Words in dashes, dots before a kind of file, and typed parts; a token is text by nature.
PATH = re.compile(r"(/[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)?|/<uuid:[a-z_]+>|/<(token|message_id|path:name)>)*/?")
# Written out whole; a name that is put together at run time ends otherwise.
URL_FOR = re.compile(r"""url_for\(\s*["']([\w.]+)["']\s*[,)]""")
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
RENDERERS = {"render", "render_template", "get_template", "show_tab"}
LOADED_BY_NAME = "emails/"


def rules(app: Portal) -> list[Rule]:
    """Return every rule of the features."""
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in BUILT_IN]


def where(app: Portal, rule: Rule) -> str:
    """Return a rule with the line of its view."""
    code = app.view_functions[rule.endpoint].__code__
    return f"{place(Path(code.co_filename), code.co_firstlineno)} {rule.endpoint} ({rule.rule})"


def view_name(rule: Rule) -> str:
    """Return the name of the view, without its blueprint."""
    return str(rule.endpoint).rpartition(".")[2]


def test_every_endpoint_says_who_may_call_it(app: Portal) -> None:
    silent = [
        where(app, rule) for rule in app.url_map.iter_rules() if not find_access(app.view_functions[rule.endpoint])
    ]
    assert not silent, f"add @require, @require_viewer or @allow_anybody:{report(silent)}"


def test_whatever_is_open_to_anybody_says_why(app: Portal) -> None:
    declared = [(rule, find_access(app.view_functions[rule.endpoint])) for rule in app.url_map.iter_rules()]
    silent = [where(app, rule) for rule, access in declared if access and access.anybody_because == ""]
    assert not silent, report(silent)


def test_every_rule_belongs_to_one_surface(app: Portal) -> None:
    # An unknown host gets the style of its error page, and nothing else.
    homes = {"static": {*SURFACES, Surface.UNKNOWN}}
    homeless = [
        where(app, rule)
        for rule in app.url_map.iter_rules()
        if rule.subdomain not in homes.get(rule.endpoint, SURFACES)
    ]
    assert not homeless, f"the blueprint needs subdomain=Surface.…:{report(homeless)}"


def test_a_blueprint_is_named_after_its_feature_and_surface(app: Portal) -> None:
    names = {f"{feature.name}_{surface}" for feature in APP.iterdir() for surface in SURFACES}
    strange = [
        where(app, rule)
        for rule in rules(app)
        if (blueprint := rule.endpoint.partition(".")[0]) not in names or not blueprint.endswith(f"_{rule.subdomain}")
    ]
    assert not strange, f"a blueprint is <feature>_<surface> and answers on that surface:{report(strange)}"


def test_an_endpoint_is_its_view_function_and_begins_with_a_verb(app: Portal) -> None:
    strange = [
        where(app, rule)
        for rule in rules(app)
        if app.view_functions[rule.endpoint].__name__ != view_name(rule)
        or view_name(rule).partition("_")[0] not in VERBS
    ]
    assert not strange, f"verbs: {sorted(VERBS)}{report(strange)}"


def test_nothing_is_changed_by_a_get(app: Portal) -> None:
    verbs = [(rule, view_name(rule).partition("_")[0]) for rule in rules(app)]
    loose = [where(app, rule) for rule, verb in verbs if verb in CHANGES and "GET" in (rule.methods or ())]
    assert not loose, report(loose)


def test_paths_are_words_with_dashes_and_typed_ids(app: Portal) -> None:
    strange = [where(app, rule) for rule in app.url_map.iter_rules() if not PATH.fullmatch(rule.rule)]
    assert not strange, report(strange)


def names_rendered(path: Path) -> Iterator[tuple[ast.Call, str]]:
    """Yield each template that a file names in a call that renders."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in RENDERERS:
            values = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "fragment")]
            texts = [
                value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)
            ]
            yield from ((node, text) for text in texts if text.endswith((".html", ".txt")))


def templates() -> list[Path]:
    """Return every template file."""
    return sorted(path for path in TEMPLATES.rglob("*") if path.suffix in {".html", ".txt"})


def names_included(environment: Environment, path: Path) -> set[str]:
    """Return the templates that a template extends, includes or imports."""
    return {name for name in meta.find_referenced_templates(environment.parse(path.read_text())) if name}


def test_every_template_that_a_view_renders_exists() -> None:
    missing = [
        f"{place(path, node)} renders {name}"
        for path in python_files("app")
        for node, name in names_rendered(path)
        if not (TEMPLATES / name).is_file()
    ]
    assert not missing, report(missing)


def test_every_template_that_a_template_names_exists(app: Portal) -> None:
    missing = [
        f"{place(path, 1)} names {name}"
        for path in templates()
        for name in names_included(app.jinja_env, path)
        if not (TEMPLATES / name).is_file()
    ]
    assert not missing, report(missing)


def test_every_template_is_used(app: Portal) -> None:
    texts = "".join(path.read_text() for path in python_files("app"))
    used = {name for path in templates() for name in names_included(app.jinja_env, path)}
    # A page that is rendered by a name put together at run time has the name of its view.
    views = {endpoint.rpartition(".")[2] for endpoint in app.view_functions}
    names = {str(path.relative_to(TEMPLATES)): path for path in templates() if path.stem not in views}
    idle = [name for name in names if name not in used and f'"{name}"' not in texts]
    idle = [place(names[name], 1) for name in idle if not name.startswith(LOADED_BY_NAME)]
    assert not idle, f"nothing renders, extends or includes:{report(idle)}"


def endpoints_named() -> Iterator[tuple[str, str]]:
    """Yield each endpoint that the code or a template writes out, and where."""
    for path in [*python_files("app"), *templates()]:
        text = COMMENT.sub(lambda found: "\n" * found.group().count("\n"), path.read_text())
        for number, line in enumerate(text.splitlines(), start=1):
            yield from ((place(path, number), name) for name in URL_FOR.findall(line))


def is_endpoint(app: Portal, name: str) -> bool:
    """Tell whether an endpoint exists; `.name` is one of whichever blueprint is running, so any may have it."""
    return name in app.view_functions or any(known.endswith(name) for known in app.view_functions if name[0] == ".")


def test_every_link_leads_to_a_view(app: Portal) -> None:
    dead = [f"{spot} links to {name}" for spot, name in endpoints_named() if not is_endpoint(app, name)]
    assert not dead, report(dead)


@pytest.mark.parametrize(
    ("path", "is_good"),
    [
        ("/", True),
        ("/tenants/<uuid:tenant_id>/key-rotations", True),
        ("/tenants.csv", True),
        ("/invitation/<token>", True),
        ("/tenants/<tenant_id>", False),
        ("/tenants/<int:number>", False),
        ("/Tenants", False),
        ("/status_history", False),
    ],
)
def test_a_strange_path_would_be_seen(path: str, is_good: bool) -> None:
    assert bool(PATH.fullmatch(path)) == is_good


def test_a_dead_link_would_be_seen(app: Portal) -> None:
    assert is_endpoint(app, "probes.show_health")
    assert is_endpoint(app, ".show_health")
    assert not is_endpoint(app, ".show_nothing")
    assert not is_endpoint(app, "probes.show_nothing")
