"""Questions that a person asks about a case, a run or a record: answered from what they may see of it and from nothing else, each sentence with its source. A question changes nothing."""

from console.ai.cases.case_questions import (
    Place,
    Question,
    answer,
    ask,
    asked_of_run,
    erase,
    expire,
    questions,
)
