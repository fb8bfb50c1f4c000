"""What no table holds, computed for the claims: functions of the views of a run, one file for each subject."""
