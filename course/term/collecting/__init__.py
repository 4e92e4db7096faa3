"""Taking in what students handed in elsewhere: from a platform's archive into submitted/."""
