"""A JupyterHub on this machine alone: two students, one instructor, one password for all.

`make hub` starts it (hub/start.py says where the environment variables come from). For real
accounts, one password for each, and other machines, see docs/hub.md.
"""

import os
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821

HERE = Path(__file__).parent  # what the roles are configured with
TRIAL = Path(os.environ["COURSE_HUB"])  # course, exchange, homes, and the hub's own files
PARTS = Path(os.environ["COURSE_HUB_PARTS"])  # the environment and the proxy that are its own
LOCKED = Path(os.environ["COURSE_HUB_LOCKED"])  # the environment of requirements.lock
PORT = int(os.environ["COURSE_HUB_PORT"])
INSTRUCTORS, STUDENTS = {"teacher"}, {"ada", "ben"}

c.JupyterHub.bind_url = f"http://127.0.0.1:{PORT}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{PORT + 1}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 2}"
c.ConfigurableHTTPProxy.command = [str(PARTS / "proxy/node_modules/.bin/configurable-http-proxy")]
c.ConfigurableHTTPProxy.pid_file = str(TRIAL / "run/proxy.pid")
c.JupyterHub.db_url = f"sqlite:///{TRIAL}/run/hub.sqlite"
c.JupyterHub.cookie_secret_file = str(TRIAL / "run/cookie_secret")

# Anyone on this machine can log in as anyone: for a trial, never for a class.
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = "likelihood"
c.SharedPasswordAuthenticator.admin_password = os.environ["COURSE_HUB_ADMIN"]
c.Authenticator.allowed_users = STUDENTS | INSTRUCTORS

c.JupyterHub.spawner_class = "simple"  # everybody is the account that started the hub
c.SimpleLocalProcessSpawner.home_dir_template = str(TRIAL / "home/{username}")
c.Spawner.cmd = [str(PARTS / "venv/bin/jupyterhub-singleuser")]
c.Spawner.ip = "127.0.0.1"
c.Spawner.default_url = "/lab"
c.Spawner.http_timeout = 120
if hasattr(os, "geteuid") and os.geteuid() == 0:
    c.Spawner.args = ["--allow-root"]


def role(spawner) -> None:
    """Give a user's server the settings of what the user is here."""
    teaches = spawner.user.name in INSTRUCTORS
    settings = [HERE / ("instructor" if teaches else "student"), HERE / "shared"]
    folders = [*settings, LOCKED / "etc/jupyter"]
    path = [PARTS / "venv/bin", LOCKED / "bin", *os.environ.get("PATH", "").split(os.pathsep)]
    spawner.environment = {
        "COURSE_HUB": str(TRIAL),
        "JUPYTER_CONFIG_PATH": os.pathsep.join(map(str, folders)),
        "JUPYTER_PATH": str(LOCKED / "share/jupyter"),
        "JUPYTERLAB_DIR": str(LOCKED / "share/jupyter/lab"),
        "PATH": os.pathsep.join(map(str, path)),
    }
    if teaches:
        spawner.notebook_dir = str(TRIAL / "course")


c.Spawner.pre_spawn_hook = role
