"""Running a comparison: plan, schedule, fit, score."""
