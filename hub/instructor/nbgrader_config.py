"""Where the formgrader finds the course: its server starts in the instructor's home."""

import os

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.CourseDirectory.root = f"{os.environ['COURSE_HUB']}/course"
