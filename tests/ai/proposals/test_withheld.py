"""Nothing that must not leave is in the request that arrives at the endpoint: whoever asks, wherever it stands, however it is written."""

import re
from time import monotonic

import pytest
from hypothesis import given, settings as tries, strategies as st

from console import records, workflows
from console.ai import providers
from console.ai.prompt import rendered
from console.ai.safety import contact_details
from console.core.expressions import parse
from console.core.proposal_types import Ask, FieldSpec, Provider, Source, Treatment
from console.core.scopes import Scope, unrestricted
from tests.ai.proposals.conftest import House, denied, said, triage
from tests.servers.model import KEY, Server

NEVER = {"tax_id": {"ai": "never", "sensitive": True}, "email": {"type": "email"}}
TAX_ID = "IE 6388 047 VQ"


def bare(text: str) -> str:
    """Letters and digits alone: what somebody reads who knows how things are written apart."""
    return contact_details.compact(contact_details.readable(contact_details.visible(text)))


def test_who_may_read_less_does_not_send_more(house: House) -> None:
    """Olivia may not read the tax number, so it is in no source of hers; the note that she reads holds it."""
    said("customer", fields=NEVER)
    triage({}, settings={"exclusive": False})
    house.company.sql("update customer set tax_id = ? where id = 1", TAX_ID)
    for by in ("olivia", "mona"):
        house.proposed(
            house.at_judge(
                by=by,
                story="The number is IE-6388-047-VQ, or ie6388047vq as they write it; ＩＥ６３８８０４７ＶＱ too.",
            ),
            by=by,
        )
    assert house.model.asked
    assert "6388047" not in bare(house.sent)


def test_what_the_console_hides_from_everybody_is_looked_for_too(house: House) -> None:
    said("customer", fields={"tax_id": {"hidden": True}, "email": {"type": "email"}})
    house.company.sql("update customer set tax_id = ? where id = 1", TAX_ID)
    house.proposed(house.at_judge(story=f"They gave {TAX_ID} on the phone."))
    assert "6388047" not in bare(house.sent)


def test_what_belongs_to_the_records_around_it_does_not_leave(house: House) -> None:
    """Accounts that the person may not read at all, in a note about their customer."""
    denied(house.company.olivia, "collection:account", "read")
    house.company.sql("update account set iban = 'ZZ00 SECRET 77 1234' where iban like '%678'")
    house.proposed(house.at_judge(story="Send it to zz00-secret-77-1234 or to LT45 9999 9000\n1234 5679."))
    sent = bare(house.sent)
    assert "secret771234" not in sent
    assert "345679" not in sent


@pytest.mark.slow
@pytest.mark.parametrize(
    "written",
    [
        "Okonkwo-Bell, Adaeze",
        "ADAEZE OKONKWO-BELL",
        "adaeze okonkwo bell",
        "Adáèze Okonkwo–Bell",
        "Bell Adaeze Okonkwo",
        "Аdaeze Оkonkwo-Bell",
        "Adaeze\u200b Okonkwo\u00ad-Bell",
    ],
)
def test_a_name_in_any_order_case_and_spelling(house: House, written: str) -> None:
    said("customer", fields={"display_name": {"ai": "masked"}, "email": {"type": "email"}})
    house.proposed(house.at_judge(story=f"Spoke to {written} about it."))
    assert "okonkwo" not in bare(house.sent)
    assert "adaeze" not in bare(house.sent)


def test_a_name_in_another_alphabet(house: House) -> None:
    said("customer", fields={"display_name": {"ai": "masked"}, "email": {"type": "email"}})
    house.company.sql("update customer set display_name = 'Sergej Müller' where id = 1")
    house.proposed(house.at_judge(story="Сергей Мюллер wrote, Mueller Sergey signed, MULLER SERGEI called."))
    sent = bare(house.sent)
    for name in ("сергей", "мюллер", "mueller", "sergey", "muller", "sergei"):
        assert name not in sent, name


SPOTTED = {
    "card": "4111-1111-1111-1111",
    "card by digits": "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "IBAN over two lines": "LT12 1000 0111\n0100 1000",
    "full width IBAN": "ＬＴ１２１０００　０１１１０１００１０００",
    "personal code": "37605030299",
    "PESEL": "44051401359",
    "SSN": "078-05-1120",
    "NINO": "AB 12 34 56 C",
    "codice fiscale": "RSSMRA85M01H501Q",
    "CPF": "529.982.247-25",
    "AHV": "756.9217.0769.85",
    "VAT": "DE136695976",
    "passport": "passport no. L8988901C",
    "zone": "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
    "born": "born on 12 August 1974",
    "born elsewhere": "geboren am 12.08.1974",
    "password": "password: Tr0ub4dor&3",
    "Passwort": "Mein Passwort lautet Hunde-leine99",
    "pin": "my PIN is 4821",
    "key": "sk-live_51HxT9bR2cV8mN3qL7",
    "cloud key": "AKIAIOSFODNN7EXAMPLE",
    "web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "bearer": "Authorization: Bearer 9f86d081884c7d659a2feaa0c55ad015",
    "address": "postgres://shop:s3cr3tPw9@db.internal/shop",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx7Zt3\nQm9keU9mS2V5\n-----END RSA PRIVATE KEY-----",
}
SECRET_PARTS = {
    "passport": ["l8988901c"],
    "born": ["1974"],
    "born elsewhere": ["1974"],
    "password": ["tr0ub4dor"],
    "Passwort": ["hundeleine99"],
    "pin": ["4821"],
    "bearer": ["9f86d081884c7d65"],
    "address": ["s3cr3tpw9"],
    "private key": ["miieowibaakcaqeax7zt3", "qm9keu9ms2v5"],
    "zone": ["eriksson", "l898902c3"],
}


@pytest.mark.slow
def test_what_shows_by_its_form_leaves_in_no_text(house: House) -> None:
    triage({}, form=[{"name": "verdict", "label": "Verdict", "type": "text"}], settings={"exclusive": False})
    for name, text in SPOTTED.items():
        house.model.requests.clear()
        house.proposed(house.at_judge(story=f"They wrote {text} and asked again."))
        sent = bare(house.sent)
        for part in SECRET_PARTS.get(name, [bare(text)]):
            assert part not in sent, name


def test_the_console_alone_reads_what_nobody_is_shown(house: House) -> None:
    found = records.stored(unrestricted("customer"), ["tax_id"], key="1")
    assert found == [{"tax_id": "IE123"}]
    some = Scope("customer", allow=(parse("record.desk == 'retail'"),))
    with pytest.raises(ValueError, match="console alone"):
        records.stored(some, ["tax_id"], key="1")


# ------------------------------------------------------------------------------------------------------------------ properties

letters = st.sampled_from("abcdefghijklmnoprstuvz")
digits = st.sampled_from("0123456789")
codes = st.text(digits, min_size=8, max_size=12).map(lambda text: f"9{text}")
names = st.lists(
    st.text(letters, min_size=6, max_size=9).map(str.capitalize), min_size=2, max_size=3, unique=True
).map(" ".join)
values = st.one_of(codes, names, st.emails().filter(lambda text: len(bare(text)) >= 6))
ways = st.sampled_from(["as it is", "apart", "upper", "lines", "dashes", "wide", "joined"])


def written(value: str, way: str) -> str:
    match way:
        case "apart":
            return " ".join(value) if value.isdigit() else value.swapcase()
        case "upper":
            return value.upper()
        case "lines":
            return (
                f"{value[: len(value) // 2]}\n{value[len(value) // 2 :]}"
                if value.isdigit()
                else value.replace(" ", "\n")
            )
        case "dashes":
            return "-".join(re.findall("..?.?", value)) if value.isdigit() else value.replace(" ", " – ")
        case "wide":
            return (
                value.translate(
                    {sign: chr(sign + 0xFEE0) for sign in range(0x21, 0x7F) if chr(sign).isalnum()}
                )
                if "@" not in value
                else value
            )
        case "joined":
            return f"{value[:3]}\u200b{value[3:]}"
    return value


@pytest.fixture(scope="module")
def provider(endpoint: Server) -> Provider:
    return providers.provider(providers.anthropic.Config("claude-haiku-5-5", KEY, endpoint.url, private=True))


def test_a_value_with_many_signs_between_its_words_is_found_as_it_is_written() -> None:
    hidden = [Source("", "record", "", {"mail": "00==//@A.COM"}, trusted=True, treatments={"mail": "masked"})]
    told = (Source("s1", "note", "Note", {"note": "Write to 00==//@A.COM today"}, trusted=False),)
    ask = Ask(
        "propose", "step", "Step", "update_data", "", (FieldSpec("word", "Word", "text"),), sources=told
    )
    assert "A.COM" not in rendered(ask, b"k", hidden).user


@given(st.data())
@tries(max_examples=40, deadline=None)
def test_no_withheld_or_masked_value_is_in_a_request(
    endpoint: Server, provider: Provider, data: st.DataObject
) -> None:
    """Of generated records: some fields the person may read, others not; the texts hold all of their values in some way."""
    record = data.draw(
        st.dictionaries(st.sampled_from(["a", "b", "holder", "d"]), values, min_size=1, max_size=4)
    )
    treatments: dict[str, Treatment] = {
        name: data.draw(st.sampled_from(["never", "masked", "hash"])) for name in record
    }
    readable = {name: value for name, value in record.items() if data.draw(st.booleans())}
    told = " and ".join(f"x {written(value, data.draw(ways))} y" for value in record.values())
    sources = (
        Source(
            "s1",
            "record",
            "Record",
            readable or {"none": "-"},
            trusted=True,
            treatments={name: treatments[name] for name in readable},
        ),
        Source("s2", "note", f"About {next(iter(record.values()))}", {"note": told}, trusted=False),
    )
    ask = Ask(
        "propose", "step", "Step", "update_data", "", (FieldSpec("word", "Word", "text"),), sources=sources
    )
    hidden = [Source("", "record", "", record, trusted=True, treatments=treatments)]
    prompt = rendered(ask, b"k", hidden)
    endpoint.requests.clear()
    provider.complete(prompt.system, prompt.user, prompt.schema, deadline=monotonic() + 20, max_tokens=500)
    sent = bare(endpoint.asked[-1].text)
    for name, value in record.items():
        assert bare(value) not in sent, (name, value, told)
    assert all(placeholder in prompt.user for placeholder in prompt.restore.placeholders), (
        "nothing can be asked back that was not sent"
    )


@pytest.mark.parametrize("how", ["never", "masked", "hash"])
def test_a_copy_under_another_name_is_treated_as_what_it_is_a_copy_of(house: House, how: str) -> None:
    """An earlier step copied the number, and the record has another one since: nothing around the record tells any more that it is one."""
    said("customer", fields={"tax_id": {"ai": how, "sensitive": True}, "email": {"type": "email"}})
    triage({}, settings={"exclusive": False})
    document = workflows.live("triage").document.to_json()
    copied = [
        {
            "name": "reference",
            "label": "Reference",
            "type": "text",
            "readonly": True,
            "value": "record.tax_id",
        },
        {"name": "short", "label": "Short", "type": "text", "readonly": True, "value": "record.tax_id"},
        {
            "name": "again",
            "label": "Again",
            "type": "text",
            "readonly": True,
            "value": "steps.hear.reference",
        },
        {"name": "kind", "label": "Kind", "type": "text", "readonly": True, "value": "record.desk"},
    ]
    steps = {step["id"]: step for step in document["steps"]}
    steps["hear"]["config"]["form"] += copied
    steps["judge"]["ai"] = {}
    workflows.import_file(document, publish=True)
    for number in (TAX_ID, "QX7"):
        house.company.sql("update customer set tax_id = ? where id = 1", number)
        run = house.at_judge(by="mona", verdict="clean", story=f"Taken down as {TAX_ID}.")
        house.company.sql("update customer set tax_id = 'DE000' where id = 1")
        house.proposed(run, "mona")
        assert "retail" in house.sent, "what is no secret goes"
        assert bare(number) not in bare(house.sent)
        house.model.requests.clear()
