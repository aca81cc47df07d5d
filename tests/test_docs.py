"""The documents say what is so: links lead somewhere, settings and commands exist, promises name tests that stand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from click import Argument, Context, Group
from opentelemetry.sdk import environment_variables

from service import config
from service.cli import cli

ROOT = Path(__file__).parents[1]
CODE = ("service", "workers", "integrations", "sandbox")
FIRST_LEVEL = (
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "Makefile", "Procfile", "pyproject.toml", "openapi.yaml",
    "requirements.in", "requirements.txt", "requirements-otel.in", "requirements-otel.txt", "requirements-dev.in", "requirements-dev.txt", "docs/architecture.md", "docs/operations.md",
    "docs/scaling.md", "docs/guarantees.md", "docs/adr", "integrations", "service", "workers", "sandbox", "bench", "tests",
)  # fmt: skip
# Where one machine, or one way to get packages, would show.
FOREIGN = re.compile(
    r"(?<![\w.])/(?:work|root|home|tmp|Users)(?=[/\s`\"').,:;]|$)|\bpypi\.|index-url|\bregistry\.[\w-]+\.[a-z]",
    re.IGNORECASE,
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|PORT")
READERS = {"str", "int", "bool", "list", "get", "getenv"}


def documents() -> list[Path]:
    return sorted(
        path
        for path in ROOT.rglob("*.md")
        if not any(part.startswith(".") or part == "build" for part in path.relative_to(ROOT).parts)
    )


def shell_lines(path: Path) -> Iterator[str]:
    """Lines of the blocks that are to be typed, without their comments."""
    for block in re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL):
        yield from (line.split("  #")[0].strip() for line in block.splitlines() if line.strip())


def commands_in(path: Path) -> list[tuple[str, ...]]:
    """Each `warmline ...` that a document names, in a block or in a sentence, as its words."""
    spans = [
        *shell_lines(path),
        *re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)),
    ]
    found = [re.match(r"(?:\.venv/bin/)?warmline((?: +[\w./:@=\"-]+)*)", span) for span in spans]
    return [tuple(each.group(1).split()) for each in found if each]


def anchors(path: Path) -> set[str]:
    """What a heading of a Markdown page is called in a link."""
    heads = re.findall(r"^#+ +(.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}


def test_there_are_documents() -> None:
    names = {str(path.relative_to(ROOT)) for path in documents()}
    assert {"README.md", "docs/operations.md", "sandbox/README.md"} <= names


@pytest.mark.parametrize("name", FIRST_LEVEL)
def test_what_the_design_names_stands_where_it_says(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text()):
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        name, _, anchor = unquote(target).partition("#")
        found = path.parent / name if name else path
        assert found.exists(), f"{path.name}: {target}"
        assert found.resolve().is_relative_to(ROOT), f"{target} leads out of the repository"
        if anchor:
            assert anchor in anchors(found), f"{path.name}: {target}"


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_line_names_a_place_on_one_machine_or_a_registry(path: Path) -> None:
    assert [line for line in path.read_text().splitlines() if FOREIGN.search(line)] == []


@pytest.mark.parametrize("line", ["see /home/me/x", "pip install --index-url https://example.com", "in /tmp"])
def test_such_a_line_would_be_noticed(line: str) -> None:
    assert FOREIGN.search(line)


# --- settings -------------------------------------------------------------------------------------------------


def read_from_the_environment() -> set[str]:
    """Names that the program reads: arguments of `environ.get(...)`, `env.str(...)` and the like, subscripts of `environ`, `envvar=`, and
    constants that such a call names; and arguments beside `env` in a call of ours."""
    found: set[str] = set()
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text())
            constants = {
                target.id: node.value.value
                for node in tree.body
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for node in ast.walk(tree):
                for value in _asked(node):
                    name = constants.get(value.id) if isinstance(value, ast.Name) else getattr(value, "value", None)
                    if isinstance(name, str) and NAME.fullmatch(name):
                        found.add(name)
    return found


def _asked(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.keyword) and node.arg == "envvar":
        return [node.value]
    if isinstance(node, ast.Subscript) and _is_environment(node.value) and isinstance(node.ctx, ast.Load):
        return [node.slice]
    if isinstance(node, ast.Call) and any(_is_environment(each) for each in node.args):
        return node.args  # a reader of ours: _postgres(env, "DATABASE_URL")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READERS and node.args:
        return [node.args[0]] if _is_environment(node.func.value) else []
    return []


def _is_environment(node: ast.expr) -> bool:
    """`os.environ`, `os`, or environs' `env`."""
    return (isinstance(node, ast.Attribute) and node.attr == "environ") or (
        isinstance(node, ast.Name) and node.id in ("env", "os", "environ")
    )


def reads_itself() -> set[str]:
    """Names that OpenTelemetry reads without us."""
    return {name for name in vars(environment_variables).values() if isinstance(name, str) and name.startswith("OTEL_")}


def settings_table() -> list[str]:
    page = (ROOT / "docs/operations.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)


def test_every_setting_that_is_read_is_in_the_table_and_every_one_in_the_table_is_read() -> None:
    table, used = settings_table(), read_from_the_environment()
    assert {"DATABASE_URL", "PORT", "WARMLINE_NOW", "WARMLINE_SANDBOX_PORT", "WEB_CONCURRENCY"} <= used
    assert len(table) == len(set(table))
    assert set(table) - used <= reads_itself()
    assert used <= set(table)


def test_the_defaults_in_the_table_are_those_of_the_program() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE))
    fresh = fresh_configuration()
    assert {rows["PORT"], rows["WARMLINE_BIND"], rows["WARMLINE_WORKERS"]} == {
        f"`{fresh.port}`",
        f"`{fresh.host}`",
        f"`{fresh.workers}`",
    }
    assert (rows["WARMLINE_JSON_LOGS"], rows["WARMLINE_HOME"]) == (
        f"`{fresh.json_logs}`".lower(),
        f"`{fresh.home.name}`",
    )
    assert fresh.base_url.startswith(rows["WARMLINE_URL"].split("`")[1])


def fresh_configuration() -> config.Config:
    """The configuration where the environment says nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in settings_table():
            patch.delenv(name, raising=False)
        return config.load(follow=False)


# --- commands -------------------------------------------------------------------------------------------------


def test_documents_name_commands() -> None:
    named = {words[0] for path in documents() for words in commands_in(path) if words}
    assert {"up", "migrate", "providers", "signin", "doctor", "web", "worker", "scheduler"} <= named


def unknown(words: tuple[str, ...]) -> str:
    """The first word of a `warmline ...` that the program does not know; empty where it knows them all."""
    command, context, is_value = cli, Context(cli), False
    for word in words:
        if is_value:
            is_value = False
        elif word.startswith("--"):
            options = {name: option for option in command.get_params(context) for name in option.opts}
            if word not in options:
                return word
            is_value = not getattr(options[word], "is_flag", False)
        elif isinstance(command, Group):
            found = command.get_command(context, word)
            if found is None:
                return word
            command = found
        elif not any(isinstance(parameter, Argument) for parameter in command.params):
            return word
    return ""


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_a_document_names_exists(path: Path) -> None:
    assert [words for words in commands_in(path) if unknown(words)] == []


@pytest.mark.parametrize("line", ["dance", "up --fast", "keys old", "providers set x --client-key a", "migrate now"])
def test_a_command_that_does_not_exist_would_be_noticed(line: str) -> None:
    assert unknown(tuple(line.split()))


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_target_of_make_that_a_document_names_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for line in shell_lines(path) for word in re.findall(r"\bmake ([a-z]+)", line)}
    named |= set(re.findall(r"`make ([a-z]+)", path.read_text()))
    assert named <= targets


def test_the_procfile_on_the_page_is_the_one_that_runs() -> None:
    assert (ROOT / "Procfile").read_text().strip() in (ROOT / "docs/operations.md").read_text()


# --- promises -------------------------------------------------------------------------------------------------


def promised() -> list[str]:
    return re.findall(r"`(tests/[\w/]+\.py::\w+)`", (ROOT / "docs/guarantees.md").read_text())


def test_there_are_promises() -> None:
    assert len(promised()) > 30


@pytest.mark.parametrize("test", promised())
def test_each_promise_names_a_test_that_stands(test: str) -> None:
    name, _, function = test.partition("::")
    assert re.search(rf"^def {function}\(", (ROOT / name).read_text(), re.MULTILINE)


# What OWASP ASVS 5.0 asks of levels 1 and 2 in the chapters that docs/asvs.md answers: section -> the last parts of its numbers.
ASKED = {
    "6.1": (1, 2, 3), "6.2": range(1, 13), "6.3": (1, 2, 3, 4), "6.4": (1, 2, 3, 4), "6.5": (1, 2, 3, 4, 5), "6.6": (1, 2, 3), "6.8": (1, 2, 3, 4),
    "7.1": (1, 2, 3), "7.2": (1, 2, 3, 4), "7.3": (1, 2), "7.4": (1, 2, 3, 4, 5), "7.5": (1, 2), "7.6": (1, 2),
    "8.1": (1, 2), "8.2": (1, 2, 3), "8.3": (1,), "8.4": (1,), "9.1": (1, 2, 3), "9.2": (1, 2, 3, 4),
    "10.1": (1, 2), "10.2": (1, 2), "10.3": (1, 2, 3, 4), "10.4": range(1, 12), "10.5": (1, 2, 3, 4, 5), "10.6": (1, 2), "10.7": (1, 2, 3),
    "14.1": (1, 2), "14.2": (1, 2, 3, 4), "14.3": (1, 2, 3),
}  # fmt: skip
STANDS = {"met", "not applicable", "open"}


def answers() -> list[tuple[str, str, str]]:
    """(number, how it stands, by what) of each row of docs/asvs.md."""
    rows = re.findall(
        r"^\| ([\d.]+) \| .+? \| ([a-z ]+) \| (.*) \|$", (ROOT / "docs/asvs.md").read_text(), re.MULTILINE
    )
    return [(number, stands, by) for number, stands, by in rows]


def test_every_requirement_of_the_standard_is_answered_once() -> None:
    asked = [f"{section}.{last}" for section, parts in ASKED.items() for last in parts]
    assert [number for number, _, _ in answers()] == asked
    assert {stands for _, stands, _ in answers()} <= STANDS


def test_the_page_counts_its_answers_rightly() -> None:
    counts = {each: sum(stands == each for _, stands, _ in answers()) for each in STANDS}
    said = f"Of {len(answers())} requirements {counts['met']} are met, {counts['not applicable']} do not apply, and {counts['open']} are open."
    assert said in (ROOT / "docs/asvs.md").read_text()


@pytest.mark.parametrize(("number", "stands", "by"), answers(), ids=lambda part: part if str(part)[0].isdigit() else "")
def test_what_is_met_names_a_test_or_a_page_and_the_rest_a_reason(number: str, stands: str, by: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", by)
    for name, function in named:
        assert re.search(rf"^def {function}\(", (ROOT / name).read_text(), re.MULTILINE), f"{name}::{function}"
    if stands == "met":
        assert named or LINK.search(by)
    else:
        assert len(by) > 5


def test_paths_of_the_tree_that_documents_name_exist() -> None:
    named = {
        (path.name, each)
        for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
        for each in re.findall(r"`((?:integrations|service|workers|tests|docs|bench)/[\w./-]*\w)`", path.read_text())
        if "acme" not in each
    }
    assert named
    assert [each for each in sorted(named) if not (ROOT / each[1]).exists()] == []


def test_decisions_are_numbered_listed_and_whole() -> None:
    pages = sorted(path for path in (ROOT / "docs/adr").glob("*.md") if path.name != "README.md")
    assert [path.name[:4] for path in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    index = (ROOT / "docs/adr/README.md").read_text()
    for path in pages:
        text = path.read_text()
        assert text.startswith(f"# {path.name[:4]}. ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
            "What we gave up",
        ]
        assert f"({path.name})" in index


def test_pictures_are_small_enough_for_a_page() -> None:
    pictures = list((ROOT / "docs/images").iterdir())
    assert pictures
    assert [each.name for each in pictures if each.stat().st_size > 200_000] == []
