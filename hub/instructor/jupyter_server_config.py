"""The formgrader shows itself in a frame of JupyterLab, which a hub forbids by default."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.ServerApp.tornado_settings = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
