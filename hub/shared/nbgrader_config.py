"""What everybody's nbgrader on the hub has to know: where the exchange is, and which course."""

import os

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.Exchange.root = f"{os.environ['COURSE_HUB']}/exchange"
c.CourseDirectory.course_id = "likelihood-course"
