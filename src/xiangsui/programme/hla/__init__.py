"""The one room that reaches the engine: typings checked, the index kept fresh, patients' searches answered."""
