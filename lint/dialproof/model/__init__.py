"""What rule, contact and contact list files say, as plain values that know where they were written."""
