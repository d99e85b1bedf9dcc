"""The foundation's own pages: rules, figures, workflows, organisations, and the story of a subject in the ledger.

The rooms they show stand below `screens` and cannot draw pages themselves.
"""
