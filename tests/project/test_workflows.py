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
