"""A student's name: the hub's, since all share one account here. Drop it with real accounts."""

import os

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.CourseDirectory.student_id = os.environ["JUPYTERHUB_USER"]
