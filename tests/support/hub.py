"""A hub with the course in it, and a hand that logs in, fetches, answers, submits and reads."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Locator, Page, expect

from course.authoring import sheet
from support.project import PROJECT
from support.stock import nbgrader

PARTS = PROJECT / ".cache" / "hub"
PASSWORD = "likelihood"
PATIENCE = 120_000  # milliseconds: a server's first start takes its time on a busy machine
NOTEBOOK = ".jp-NotebookPanel:not(.lm-mod-hidden)"


def installed() -> bool:
    """Return whether `make hub` has installed what a hub needs."""
    return (PARTS / ".ready").exists()


@dataclass
class Hub:
    """A hub that runs."""

    url: str
    folder: Path

    @property
    def course(self) -> Path:
        return self.folder / "course"

    def said(self) -> str:
        """Return what the watch has said."""
        return (self.folder / "run" / "watch.log").read_text(errors="replace")


def free_ports(count: int) -> int:
    """Return the first of some ports in a row that nobody uses."""
    for _ in range(100):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for one in range(port, port + count):
                held.enter_context(socket.socket()).bind(("127.0.0.1", one))
            return port
    raise AssertionError("no free ports")


@contextlib.contextmanager
def running(folder: Path, sheets: list[str], attempts: int | None = None) -> Iterator[Hub]:
    """Start the hub as `make hub` does, in a folder of its own, and end it."""
    port = free_ports(3)
    if attempts is not None:
        config = (PROJECT / "nbgrader_config.py").read_text(encoding="utf-8")
        (folder / "course").mkdir(parents=True)
        (folder / "course" / "nbgrader_config.py").write_text(
            f"{config}\nc.CourseWatch.attempts = {attempts}\n", encoding="utf-8"
        )
    words = [str(PARTS / "venv/bin/python"), str(PROJECT / "hub/start.py"), "--port", str(port)]
    env = {k: v for k, v in os.environ.items() if k not in ("COURSE_DATA_SEED", "OMP_NUM_THREADS")}
    process = subprocess.Popen(
        [*words, "--folder", str(folder), "--sheets", *sheets], env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C ends it" in line:
                break
        else:
            raise AssertionError(f"the hub did not start:\n{said}")
        yield Hub(f"http://127.0.0.1:{port}", folder)
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def log_in(browser: Browser, hub: Hub, name: str) -> Page:
    """Log in, wait for JupyterLab, and return its page."""
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{hub.url}/hub/login")
    page.locator("#username_input").fill(name)
    page.locator("#password_input").fill(PASSWORD)
    page.locator("#login_submit").click()
    page.wait_for_url("**/lab**")
    page.locator(".lm-MenuBar-itemLabel:text-is('Nbgrader')").wait_for()
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    return page


def choose(page: Page, entry: str) -> None:
    """Choose an entry of the menu Nbgrader."""
    page.locator(".lm-MenuBar-itemLabel:text-is('Nbgrader')").click()
    page.locator(f".lm-Menu-itemLabel:text-is('{entry}')").click()


def assignments(page: Page) -> None:
    """Bring the Assignment List to the front, as it is now."""
    tab = page.locator(".lm-TabBar-tabLabel:text-is('Assignments')")
    if tab.count():
        tab.first.click()
        page.locator("#refresh_assignments_list").click()
    else:
        choose(page, "Assignment List")
    page.locator("#released_assignments_list").wait_for()


def fetch(page: Page, name: str) -> None:
    """Fetch a released sheet in the Assignment List."""
    assignments(page)
    row = page.locator("#released_assignments_list > .list_item").filter(has_text=name)
    row.get_by_role("button", name="Fetch").click()
    page.locator("#fetched_assignments_list > .list_item").filter(has_text=name).wait_for()


def open_sheet(page: Page, name: str) -> None:
    """Open a fetched sheet from the Assignment List, with a kernel that is ready."""
    row = page.locator("#fetched_assignments_list > .list_item").filter(has_text=name).first
    row.locator("a:visible").first.click()
    row.locator("a:visible").nth(1).click()
    page.locator(f"{NOTEBOOK} .jp-Cell").first.wait_for()
    page.locator(f"{NOTEBOOK} .jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()


def cell(page: Page, index: int) -> Locator:
    """Return a cell of the open sheet by its place."""
    return page.locator(f'{NOTEBOOK} .jp-Cell[data-windowed-list-index="{index}"]')


def answer(page: Page, name: str, index: int, code: str) -> None:
    """Type an answer over what stands in its cell, and save the sheet."""
    page.locator(f".lm-TabBar-tabLabel:text-is('{name}.ipynb')").click()
    editor = cell(page, index).locator(".cm-content")
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(code)
    expect(editor.locator(".cm-line")).to_have_text(code.split("\n"))
    with page.expect_response(lambda r: f"{name}.ipynb" in r.url and r.request.method == "PUT"):
        page.keyboard.press("ControlOrMeta+s")


def submit(page: Page, name: str) -> float:
    """Press Submit in the Assignment List; return the moment at which it was pressed."""
    assignments(page)
    row = page.locator("#fetched_assignments_list > .list_item").filter(has_text=name)
    button = row.get_by_role("button", name="Submit").first
    button.wait_for()
    with page.expect_response("**/assignments/submit**"):
        pressed = time.time()
        button.click()
    return pressed


def fetch_feedback(hub: Hub, page: Page, name: str) -> None:
    """Refresh the list until the newest submission has feedback, and fetch it."""
    assignments(page)
    newest = page.locator("#submitted_assignments_list .nested_list_item").last
    deadline = time.monotonic() + PATIENCE / 1000
    while "feedback available to fetch" not in (newest.text_content() or ""):
        assert time.monotonic() < deadline, f"no feedback; the watch: {hub.said()}"
        with page.expect_response("**/assignments?**"):
            page.locator("#refresh_assignments_list").click()
    row = page.locator("#submitted_assignments_list > .list_item").filter(has_text=name)
    row.get_by_role("button", name="Fetch Feedback").first.click()
    expect(newest).to_contain_text("view feedback", timeout=PATIENCE)


def read_feedback(page: Page, name: str) -> str:
    """Follow «view feedback» of the newest submission, open the page in JupyterLab, read it."""
    row = page.locator("#submitted_assignments_list > .list_item").filter(has_text=name)
    newest = page.locator("#submitted_assignments_list .nested_list_item").last
    if not newest.is_visible():
        row.locator("a").first.click()
    stamp = (newest.text_content() or "").split(" (view")[0].strip()
    newest.locator("a").click()
    # The page of an earlier submission has the same name, in another folder.
    expect(page.locator(".jp-BreadCrumbs")).to_contain_text(stamp, timeout=PATIENCE)
    page.locator(".jp-DirListing-item").filter(has_text=f"{name}.html").dblclick()
    shown = page.frame_locator(".jp-HTMLViewer:visible iframe").locator("body")
    shown.locator("h1").wait_for()
    text = shown.inner_text()
    page.locator(".lm-TabBar-tab.lm-mod-current .lm-TabBar-tabCloseIcon").last.click()
    return text


def part(text: str, exercise: str) -> str:
    """Return what a feedback page says of one exercise."""
    return text.split(f"\n{exercise} ", 1)[1].split("\nyour answer", 1)[0]


def exercises(name: str) -> list[sheet.Exercise]:
    """Return the exercises of a released sheet."""
    path = PROJECT / "release" / name / f"{name}.ipynb"
    return sheet.exercises(nbformat.read(path, as_version=4))


def submit_from_terminal(hub: Hub, student: str, name: str, answers: dict[str, str]) -> None:
    """Let a student hand in a sheet with these answers from a terminal of the hub."""
    notebook = nbformat.read(PROJECT / "release" / name / f"{name}.ipynb", as_version=4)
    for one in notebook.cells:
        one.source = answers.get(sheet.grade_id(one), one.source)
    home = hub.folder / "home" / student
    (home / name).mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, home / name / f"{name}.ipynb")
    settings = [PROJECT / "hub" / "student", PROJECT / "hub" / "shared"]
    done = nbgrader(
        home, "submit", name, HOME=str(home), JUPYTERHUB_USER=student, COURSE_HUB=str(hub.folder),
        JUPYTER_CONFIG_PATH=os.pathsep.join(map(str, settings)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
