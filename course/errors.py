"""The one error that the command line shows as a sentence instead of a traceback."""


class CourseError(Exception):
    """Wrong usage or a broken course: one sentence that names the file, the cell and the remedy."""
