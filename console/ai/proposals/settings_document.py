"""The settings of the AI as one document: who proposes, for what, at what cost, and where not. Every save is a new version of it; the key stands in it sealed."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from console.infra import settings
from console.infra.settings import IllFormed

ProviderName: TypeAlias = Literal["anthropic", "openai_compatible", "rules"]
Purpose: TypeAlias = Literal["propose", "decide", "text", "build"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
BUILD_S, BUILD_TOKENS = 30, 8_000
MOST_PRICES = 40
MOST_LIMITS = 60


def _model(text: str) -> str:
    try:
        return settings.readers.model(text)
    except IllFormed as error:
        raise ValueError(str(error)) from None


def _url(text: str) -> str:
    try:
        return settings.readers.base_url(text)
    except IllFormed as error:
        raise ValueError(str(error)) from None


Model = Annotated[str, AfterValidator(_model)]
Url = Annotated[str, StringConstraints(max_length=500), AfterValidator(_url)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Money = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=12, decimal_places=6)]
House = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4_000)]


class Part(BaseModel):
    """A part of the document."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PurposeSettings(Part):
    """How a model is asked for one purpose. `model` None: the one that is chosen for all; `seconds` None: as the machine's settings say."""

    model: Model | None = None
    seconds: Annotated[int, Field(ge=1, le=120)] | None = None
    max_tokens: Annotated[int, Field(ge=200, le=32_000)] = 2_000


class Price(Part):
    """The price of a million tokens of a model, or of all models whose names begin so."""

    model: Model
    input: Money
    cached: Money = Decimal(0)
    output: Money


USUAL = (
    Price(model="claude-haiku", input=Decimal("1.00"), cached=Decimal("0.10"), output=Decimal("5.00")),
    Price(model="claude-sonnet", input=Decimal("3.00"), cached=Decimal("0.30"), output=Decimal("15.00")),
    Price(model="claude-opus", input=Decimal("5.00"), cached=Decimal("0.50"), output=Decimal("25.00")),
)


class Prices(Part):
    """Prices as they were on a day. `number` counts the tables that there were, so that each call says by which one it was reckoned."""

    number: int = 0
    on: date = date(2026, 11, 20)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "USD"
    models: Annotated[tuple[Price, ...], Field(max_length=MOST_PRICES)] = USUAL

    @property
    def version(self) -> str:
        """How a call names this table."""
        return f"{self.on}/{self.number}"

    def of(self, model: str) -> Price | None:
        """The price of a model: by its name, else by the longest prefix of it that has a price. None if unknown."""
        fitting = [price for price in self.models if model.startswith(price.model)]
        return max(fitting, key=lambda price: len(price.model), default=None)


Count = Annotated[int, Field(ge=0, le=100_000_000_000)]
Period: TypeAlias = Literal["day", "week", "month"]
ALL, EACH = "all", "each"
"""`who` of a limit: everybody together, each person."""


class Limit(Part):
    """How much may be asked in a day, week or month of the calendar (UTC). None: no limit.

    `who` is `all` (everybody together), `each` person, or each person who has a role (`role:operator`), is in a team (`team:operations`) or is the person (`person:usr_…`).
    """

    who: Annotated[str, StringConstraints(pattern=r"^(all|each|(role|team|person):[a-z0-9_-]{1,80})$")]
    period: Period
    calls: Count | None = None
    tokens: Count | None = None
    money: Money | None = None


class Budget(Part):
    """How much may be asked: for one run, and by `limits`. None: no limit.

    For a person counts, in each period, the limit of the person, else that of their teams, else of their roles, else of each person; of several teams or roles the most generous.
    What all may ask together counts besides.
    """

    run_calls: Annotated[int, Field(ge=0, le=10_000)] = 20
    run_tokens: Count | None = None
    run_money: Money | None = Decimal("0.50")
    limits: Annotated[tuple[Limit, ...], Field(max_length=MOST_LIMITS)] = (
        Limit(who=ALL, period="day", calls=5_000, money=Decimal(20)),
    )
    warn_percent: Annotated[int, Field(ge=1, le=100)] = 80

    @model_validator(mode="before")
    @classmethod
    def of_earlier(cls, given: Any) -> Any:
        """The document with the limits of a day as versions before this one kept them."""
        if not isinstance(given, dict) or not {"day_calls", "day_money"} & given.keys():
            return given
        usual = {"day_calls": 5_000, "day_money": "20"} | given
        day = {"who": ALL, "period": "day", "calls": usual["day_calls"], "money": usual["day_money"]}
        return {name: value for name, value in given.items() if not name.startswith("day_")} | {
            "limits": [day]
        }


class HouseText(Part):
    """The company's text before and after every prompt's instruction. `number` 0: there was never one."""

    number: int = 0
    prefix: House = ""
    suffix: House = ""


class Options(Part):
    """The whole document. `collections` and `steps` (`workflow/step`) are where the AI is off, each with the reason that people are shown."""

    on: bool = True
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    collections: dict[str, Reason] = {}
    steps: dict[str, Reason] = {}
    provider: ProviderName = "rules"
    model: Model | None = None
    base_url: Url | None = None
    key: Annotated[str | None, Field(repr=False)] = None
    purposes: dict[Purpose, PurposeSettings] = {}
    prices: Prices = Prices()
    budget: Budget = Budget()
    retention_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    blind_percent: Annotated[int, Field(ge=0, le=50)] = 5
    house: HouseText = HouseText()

    def purpose(self, name: str) -> PurposeSettings:
        """How a model is asked for this purpose; one that the document does not know is asked as `propose` is."""
        valid_name: Purpose = name if name in PURPOSES else "propose"
        usual = PurposeSettings(max_tokens=BUILD_TOKENS) if valid_name == "build" else PurposeSettings()
        return self.purposes.get(valid_name, usual)

    def told(self) -> dict[str, Any]:
        """The document as JSON without its secret: of the key only whether there is one."""
        return self.model_dump(mode="json") | {"key": "set" if self.key else None}


def read(document: Mapping[str, Any]) -> Options:
    """The document as a newer or an older release may have kept it: what this one does not know is left out."""
    return Options.model_validate(
        {name: value for name, value in document.items() if name in Options.model_fields}
    )
