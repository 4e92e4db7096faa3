"""A JupyterLab that runs as it does at a student's desk, and a hand that clicks and types in it."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import matplotlib
from playwright.sync_api import Browser, Error, Locator, Page, expect, sync_playwright

from course import doctor

ROOT = Path(__file__).parent.parent.parent
TOKEN = "browser-test"
CHROMIUM = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
NOTEBOOK = ".jp-NotebookPanel:not(.lm-mod-hidden)"
# Error outputs and what a cell writes to stderr look alike in JupyterLab: red, and of this type.
COMPLAINT = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'
# What no output shows, such as an error in a slider's callback, is counted in the status bar.
LOG = ".jp-LogConsoleStatusItem:not(.lm-mod-hidden)"
PATIENCE = 120_000  # milliseconds for what runs a whole sheet
# Cells far below are put on the page later, and a cell that waits for the kernel shows [*].
SETTLED = """count => {
    const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
    const status = document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status
    return prompts.length === count && prompts[0].textContent !== '[ ]:' && status === 'idle'
        && !prompts.some(prompt => prompt.textContent === '[*]:')
}"""
CELLS = """(cells, complaint) => cells.map(cell => ({
    index: Number(cell.dataset.windowedListIndex),
    ran: /^\\[\\d+\\]:$/.test(cell.querySelector('.jp-InputPrompt').textContent),
    outputs: [...cell.querySelectorAll('.jp-OutputArea-output')].map(o => o.textContent),
    complaints: [...cell.querySelectorAll(complaint)].map(o => o.textContent),
}))"""


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Start JupyterLab on a desk in `folder`, with nobody's settings, and yield its address."""
    news = folder / "config/lab/user-settings/@jupyterlab/apputils-extension"
    news.mkdir(parents=True)
    (news / "notification.jupyterlab-settings").write_text(
        '{"fetchNews": "false", "checkForUpdates": false}'
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {
        "HOME": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLCONFIGDIR": matplotlib.get_cachedir(),  # where the font cache is warm
    }
    env.pop("COURSE_DATA_SEED", None)
    command = [
        sys.executable, "-m", "helpers.desk", "--folder", str(folder / "desk"), "--no-browser",
        "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", "--allow-root",
        f"--IdentityProvider.token={TOKEN}",
    ]  # fmt: skip
    log = folder / "jupyterlab.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True
        )
    try:
        _await(server, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()  # JupyterLab takes its kernels, which have groups of their own, with it
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGTERM)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _await(server: subprocess.Popen[bytes], port: int, log: Path, seconds: float = 60) -> None:
    for _ in range(round(seconds / 0.2)):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError):
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
            asked.request("GET", f"/api/status?token={TOKEN}")
            if asked.getresponse().status == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start a Chromium without a window, and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=doctor.chromium(), args=CHROMIUM)
        yield browser
        browser.close()


@contextlib.contextmanager
def photographed(page: Page, doing: str) -> Iterator[None]:
    """Where something in here fails, keep a picture of the page and say where it is."""
    try:
        yield
    except (AssertionError, Error) as error:
        path = Path(tempfile.mkdtemp(prefix="browser-")) / "failed.png"
        with contextlib.suppress(Error):
            page.screenshot(path=path)
        said = str(error)[:1000]  # Playwright adds the whole page in words
        raise AssertionError(f"{doing}: {said}\nThe page then: {path}") from error


def open_sheet(page: Page, url: str, path: str, workspace: str) -> None:
    """Open a notebook, given its path on the desk, in a workspace without other documents."""
    page.goto(f"{url}/lab/workspaces/{workspace}/tree/{path}?token={TOKEN}")
    page.locator(f"{NOTEBOOK} .jp-Cell").first.wait_for()
    # The toolbar's circle says idle before there is a kernel; the status bar waits for one.
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=60_000)


def run_all(page: Page, code_cells: int) -> None:
    """Choose Run → Run All Cells, and wait until the kernel has nothing left to do."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(SETTLED, arg=code_cells, timeout=PATIENCE)


def cells(page: Page) -> list[dict]:
    """Return what is seen at each code cell: its index, whether it ran, outputs, complaints."""
    return page.locator(f"{NOTEBOOK} .jp-CodeCell").evaluate_all(CELLS, COMPLAINT)


def cell(page: Page, index: int) -> Locator:
    """Return a cell by its place in the notebook."""
    return page.locator(f'{NOTEBOOK} .jp-Cell[data-windowed-list-index="{index}"]')


def answer(page: Page, answer_index: int, test_index: int, code: str) -> Locator:
    """Type an answer over what stands in its cell, run it, then its check; return that cell."""
    editor = cell(page, answer_index).locator(".cm-content")
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(code)
    expect(editor.locator(".cm-line")).to_have_text(code.split("\n"))
    page.keyboard.press("Shift+Enter")
    test = cell(page, test_index)
    test.locator(".jp-InputPrompt").click()
    page.keyboard.press("Shift+Enter")
    return test


def validate(page: Page) -> str:
    """Press nbgrader's Validate, which saves and runs the notebook; return what it says."""
    page.locator(f"{NOTEBOOK} .validate-button").click()
    dialog = page.locator(".jp-Dialog")
    dialog.wait_for(timeout=PATIENCE)
    said = dialog.inner_text()
    dialog.get_by_role("button", name="Ok").click()
    return said


def stop_kernels(page: Page, url: str) -> None:
    """Shut down every kernel, so that a long course needs no more memory than one sheet."""
    headers = {"Authorization": f"token {TOKEN}"}
    with contextlib.suppress(Error):  # a tidy-up: it must not hide why a test failed
        for session in page.request.get(f"{url}/api/sessions", headers=headers).json():
            page.request.delete(f"{url}/api/sessions/{session['id']}", headers=headers)
