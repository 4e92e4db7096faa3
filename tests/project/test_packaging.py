"""Do pyproject.toml, environment.yml and requirements.lock name the same packages?"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml
from support.project import PROJECT

CONDA_NAMES = {"pytorch": "torch"}


def name_of(requirement):
    return re.split(r"[ =<>;\[]", requirement.strip())[0].lower().replace("_", "-")


def of_pyproject():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return {name_of(r) for group in groups for r in group}


def of_environment():
    listed = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    conda = {name_of(r) for r in listed if isinstance(r, str)} - {"python", "pip"}
    (pip,) = [r["pip"] for r in listed if isinstance(r, dict)]
    return {CONDA_NAMES.get(n, n) for n in conda} | {name_of(r) for r in pip if r != "-e ."}


def locked():
    lines = (PROJECT / "requirements.lock").read_text().splitlines()
    return {
        name_of(line): line.split("==")[1] for line in lines if line and not line.startswith("#")
    }


def test_do_conda_users_get_the_same_packages():
    assert of_environment() == of_pyproject()


def test_is_every_package_locked_to_one_version():
    missing = of_pyproject() - set(locked())
    assert missing == set()
    assert locked()["torch"] == "2.13.0"


def test_is_the_torch_of_conda_the_torch_of_the_lock():
    assert f"pytorch ={locked()['torch']}" in (PROJECT / "environment.yml").read_text()


def test_is_the_project_named_without_machine_or_index():
    own = [
        p for p in PROJECT.iterdir() if p.name not in {".venv", ".cache", "demo", "desk", ".git"}
    ]
    kinds = {".py", ".toml", ".yml", ".lock", ".md", ".cfg"}
    texts = [p for o in own for p in [o, *o.rglob("*")] if p.suffix in kinds]
    assert len(texts) > 100
    for path in filter(Path.is_file, texts):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://[\w.]*(pypi|pythonhosted|pytorch\.org/whl)", text), path


def test_are_the_tests_found_by_the_command_pytest_as_well():
    """Without `python -m` the project's folder is on no path: tests/helpers could hide helpers."""
    words = [str(Path(sys.executable).parent / "pytest"), "--collect-only", "tests/test_verdict.py"]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
