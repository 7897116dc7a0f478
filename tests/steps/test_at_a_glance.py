"""What a message is about, in the few words of a picture."""

from console import steps
from console.steps.filled_text import at_a_glance
from tests.tables import cases


@cases(
    ("text", "words"),
    [
        (
            "This is the assistant of Fernwick calling {{ record.name }}. You asked to hear from us. Shall we show you?",
            "Shall we show you?",
        ),
        ("Hello {{ record.name }}. Your parcel is here. Thank you.", "Your parcel is here."),
        ("Hello {{ record.name }}", "Hello …"),
        ("{{ record.name }}", "…"),
        ("Version 2.1 is out.", "Version 2.1 is out."),
        ("word " * 40, "word " * 14 + "word…"),
    ],
)
def test_a_message_is_told_by_its_question_else_its_first_plain_sentence(text: str, words: str) -> None:
    assert at_a_glance(text) == words


def test_messages_say_in_a_picture_what_they_are_about() -> None:
    config = {
        "sms": {"text": "Hi {{ record.name }}. Shall we talk?"},
        "ai_call": {"script": ["Hi. Is it you?", "b"]},
        "email": {"subject": "News", "body": "b"},
    }
    said = {name: steps.get(name).says(steps.get(name).Config.model_validate(given)) for name, given in config.items()}
    assert said == {"sms": "Shall we talk?", "ai_call": "Is it you?", "email": "News"}
