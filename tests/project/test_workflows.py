"""Do the workflows, which run elsewhere, name what there is, in the form they must have?"""

import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from support.project import PROJECT

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
SCHEMAS = ("vendor.github-workflows", "custom.github-workflows-require-timeout")


def keeps_to(schema, *paths):
    """Return whether files keep to a schema of check-jsonschema's own, and what it says."""
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def steps():
    """Return (workflow's name, shell command) of every step that runs one."""
    return [
        (path.stem, step["run"])
        for path in WORKFLOWS
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_is_every_workflow_one(schema):
    assert {"fast", "whole", "nightly"} <= {path.stem for path in WORKFLOWS}
    fine, said = keeps_to(schema, *WORKFLOWS)
    assert fine, said


def runs(workflow, job):
    """Return the shell commands of a job, in their order."""
    path = PROJECT / ".github" / "workflows" / f"{workflow}.yml"
    steps = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"][job]["steps"]
    return [step["run"] for step in steps if "run" in step]


@pytest.mark.parametrize("job", ["sheets", "ordinary"])
def test_does_the_night_have_the_server_that_its_tests_ask_for(job):
    """Without one they are skipped: a gradebook on PostgreSQL would be tried by nobody."""
    installs, *_, tests = runs("nightly", job)
    assert installs == ".ci/packages postgresql"
    assert "pytest tests" in tests


def test_does_any_job_run_the_tests_of_grading_as_an_ordinary_user():
    *_, cage, last = runs("nightly", "ordinary")
    assert "works() or 0" in cage, "without a cage half of the tests are skipped"
    assert re.match(r'su instructor -c "\.venv/bin/python -m pytest tests/grading\b', last)
    assert "not slow" not in last


def test_are_the_packages_that_a_job_installs_known():
    there = [name for _, command in steps() for name in re.findall(r"^\.ci/packages (.+)", command)]
    asked = {name for names in there for name in names.split()} | {"chromium"}
    script = (PROJECT / ".ci" / "packages").read_text()
    assert all(re.search(rf"^    {name}\)", script, re.MULTILINE) for name in asked)
    done = subprocess.run([PROJECT / ".ci" / "packages", "nothing"], capture_output=True, text=True)
    assert done.returncode != 0
    assert "no such package here: nothing" in done.stderr


def test_is_the_citation_one_and_of_this_version():
    path = PROJECT / "CITATION.cff"
    fine, said = keeps_to("vendor.citation-file-format", path)
    assert fine, said
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert str(yaml.safe_load(path.read_text(encoding="utf-8"))["version"]) == version
    assert f"## [{version}]" in (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_is_everything_that_a_step_runs_there():
    targets = re.findall(r"^(\w+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for workflow, command in steps():
        for target in re.findall(r"\bmake (\w+)", command):
            assert target in targets, (workflow, target)
        for name in re.findall(r"(?:^|[ =])((?:tests|\.ci)/[\w./]+)", command):
            assert (PROJECT / name).exists(), (workflow, name)
        for names in re.findall(r"\.\[([\w,]+)\]", command):
            assert set(names.split(",")) <= set(extras), (workflow, names)
