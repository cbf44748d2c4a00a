"""What a comparison gives: as text, as JSON, merged, known again by a fingerprint."""
