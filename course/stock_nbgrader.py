"""What this project asks of nbgrader's Python API, in one place."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbgrader
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from jupyter_core.paths import jupyter_config_path
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from course.errors import CourseError

PROJECT = Path(__file__).parent.parent


@contextlib.contextmanager
def alembic_found() -> Iterator[None]:
    """Let nbgrader find `alembic`, which it starts by name, beside this Python."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Turn the log of nbgrader's applications down to errors."""
    log = logging.getLogger("traitlets")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


@contextlib.contextmanager
def said_once() -> Iterator[None]:
    """Keep nbgrader's gradebook from printing the traceback of an error that it raises as well."""
    log = logging.getLogger("tornado.application")
    before = log.disabled
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = before


def settings(root: Path) -> Config:
    """Return nbgrader's configuration for a course folder, as nbgrader itself would find it.

    That is the files in Jupyter's folders, then the course's own, whose word counts. A course
    folder without a file of its own begins with the project's settings, but for the database: it
    shares no gradebook with another course.
    """
    config = Config()
    own = root / "nbgrader_config.py"
    if not own.exists():
        config.merge(_loaded(PROJECT))
        config.CourseDirectory.pop("db_url", None)
    for folder in reversed(jupyter_config_path()):
        if (Path(folder) / own.name).is_file():
            config.merge(_loaded(Path(folder)))
    if own.exists():
        config.merge(_loaded(root))
    config.CourseDirectory.root = str(root)
    given = CourseDirectory(config=config).db_url
    config.CourseDirectory.db_url = _resolved(given, root)
    return config


def _loaded(folder: Path) -> Config:
    name = "nbgrader_config.py"
    with importing_from(folder):
        try:
            loaded: Config = PyFileConfigLoader(name, path=str(folder)).load_config()
        except Exception as error:  # it is a program, and may fail as any
            first = (str(error).strip().splitlines() or [""])[0]
            raise CourseError(
                f"{folder / name} cannot be read ({type(error).__name__}: {first})."
            ) from error
    return loaded


@contextlib.contextmanager
def importing_from(folder: Path) -> Iterator[None]:
    """Let modules beside a configuration be imported, such as a late policy, as nbgrader does."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))


def db_url(root: Path) -> str:
    """Return the URL of a course's gradebook: what ``c.CourseDirectory.db_url`` says."""
    return str(settings(root).CourseDirectory.db_url)


def course_id(config: Config) -> str:
    """Return the course that the gradebook keeps its assignments under."""
    return str(CourseDirectory(config=config).course_id) or "default_course"


def sqlite_url(path: Path) -> str:
    """Return the URL of a gradebook that is a file."""
    return f"sqlite:///{path}"


def sqlite_file(url: str) -> Path | None:
    """Return the file that holds a gradebook, or None where a server does."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)


def shown(url: str) -> str:
    """Return a gradebook's URL, or the path of its file, as a person may read it: no password."""
    return str(sqlite_file(url) or make_url(url).render_as_string(hide_password=True))


def gradebook(url: str, course: str = "default_course") -> Gradebook:
    """Open nbgrader's gradebook; its tables are made where there are none.

    nbgrader writes the version of the tables once they are made, for which it starts the program
    alembic. Here it is written first, by alembic's library: that takes no program and no second,
    and a kill at any moment leaves what the next opening completes.
    """
    engine = create_engine(url)
    try:
        if not inspect(engine).get_table_names():
            head = _versions().get_current_head()
            with engine.begin() as connection:
                connection.execute(
                    text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
                )
                connection.execute(
                    text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": head}
                )
    finally:
        engine.dispose()
    return Gradebook(url, course)


def _versions() -> ScriptDirectory:
    """Return alembic's record of how nbgrader's tables have changed."""
    return ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic"))


def is_earlier(url: str) -> bool:
    """Return whether a gradebook has the tables of an earlier nbgrader."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    return found is not None and found != _versions().get_current_head()


def upgrade(url: str) -> None:
    """Change a gradebook's tables to those of this nbgrader, as `nbgrader db upgrade` would."""
    versions, engine = _versions(), create_engine(url)
    try:
        with engine.begin() as connection:
            context = MigrationContext.configure(
                connection, opts={"fn": lambda now, _: versions._upgrade_revs("head", now)}
            )
            with Operations.context(context):
                context.run_migrations()
    finally:
        engine.dispose()


def _resolved(url: str, root: Path) -> str:
    """Return a gradebook's URL; one of a file is meant from the course folder."""
    path = sqlite_file(url)
    return url if path is None else sqlite_url(root / path)


def api(root: Path, **overrides: dict[str, Any]) -> NbGraderAPI:
    """Return nbgrader's API for a course folder.

    Args:
        root: course folder.
        overrides: settings by class, such as ``CourseDirectory={"release_directory": "x"}``.
    """
    config = settings(root)
    for section, values in overrides.items():
        config[section].update(values)
    config.Application.log_level = logging.ERROR
    return NbGraderAPI(config=config)


# What nbgrader's own flag --no-db sets.
NO_GRADEBOOK = {"GenerateAssignment": {"no_database": True}, "SaveCells": {"enabled": False}}


def generate(root: Path, sheet: str, release: str, gradebook: bool = True) -> None:
    """Run nbgrader's generator: root/source/SHEET → root/RELEASE/SHEET.

    Args:
        root: course folder.
        sheet: the sheet's name.
        release: the folder of root that it is released to.
        gradebook: enter the sheet into a gradebook as well, root/gradebook.db whatever the settings
            say, made where there is none.

    Raises:
        CourseError: nbgrader refused; with its own words.
    """
    more = {} if gradebook else NO_GRADEBOOK
    with quiet(), alembic_found():
        made = api(root, CourseDirectory={
            "release_directory": release, "db_url": sqlite_url(root / "gradebook.db"),
        }, **more)  # fmt: skip
        result = made.generate_assignment(sheet, force=True, create=True)
    if not result["success"]:
        log = (result.get("log") or "").splitlines()
        reason = [x.strip() for x in log if "Error:" in x or "RuntimeError" in x]
        raise CourseError(
            f"source/{sheet}/{sheet}.ipynb: nbgrader cannot generate the assignment: "
            f"{reason[-1] if reason else 'no reason given'}"
        )
