"""What rights are about that stands alone, as people call it; for the policy in words and for the sentences of the log."""

ALONE = {
    "activity": "the activity log",
    "ai": "the AI",
    "subject": "personal data",
    "source": "data sources",
    "policy": "rights",
    "key": "API keys",
    "user": "people and teams",
}
