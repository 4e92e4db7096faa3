"""What every check is made of; nothing here knows a sheet."""
