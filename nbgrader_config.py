"""Settings of nbgrader for this course: what stays in a released sheet, and what feedback shows."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.CourseDirectory.course_id = "likelihood-course"
c.CourseDirectory.db_url = "sqlite:///gradebook.db"

# What stands in a released sheet where the solution was taken out.
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.ClearSolutions.text_stub = "*Write your answer here.*"

# Seconds a single cell may take while it is graded.
c.Execute.timeout = 30

# Feedback shows the judge's messages, not the text of hidden tests.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

# What a submission may use under `course grade`; course/grading/cage/limits.py lists them all.
c.CourseLimits.cell_seconds = 30
c.CourseLimits.submission_seconds = 240

# The one line that puts stock nbgrader's kernels into the cage as well (Linux with bubblewrap):
# import os; os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "course-cage"
