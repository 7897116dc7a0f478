"""A small client of Handrail's API: start, follow and answer runs, enrol, export, verify, and ask people.

Each call is a generator of HTTP requests and pauses, which `Handrail` sends and waits for, and `AsyncHandrail` too. Calls that change something
carry an idempotency key, so that they are sent again where no answer came.
"""

import asyncio
import base64
import functools
import inspect
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, ParamSpec, Self, TypeVar

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

__all__ = [
    "AsyncHandrail",
    "DoesNotFit",
    "Expired",
    "Fact",
    "Handrail",
    "HandrailError",
    "Rejected",
    "Request",
    "Run",
    "claim",
    "fact",
    "verify",
]

Answer = TypeVar("Answer", bound=BaseModel)
Result = TypeVar("Result")
Params = ParamSpec("Params")
Flow = Generator[httpx2.Request | float, httpx2.Response | None, Result]
Fact = dict[str, Any]
PAUSE_S, LONGEST_PAUSE_S, TRIES = 2.0, 60.0, 6
PASSING = frozenset({429, 502, 503, 504})
ENDED = frozenset({"completed", "aborted", "failed", "cancelled", "timed_out"})


class HandrailError(Exception):
    """What the API refused: `status`, `code`, `message`, and `details` with a field and a reason each."""

    def __init__(self, response: httpx2.Response) -> None:
        told: Any = {}
        if response.headers.get("content-type", "").startswith("application/json"):
            told = response.json()
        self.status = response.status_code
        self.code = str(told.get("code", ""))
        self.message = str(told.get("message", response.reason_phrase))
        self.details: list[dict[str, Any]] = told.get("details", [])
        more = "; ".join(f"{each.get('field')}: {each.get('reason')}" for each in self.details)
        super().__init__(f"{self.status} {self.message}{f' ({more})' if more else ''}")


class _Shown(BaseModel):
    model_config = ConfigDict(extra="allow")


class Run(_Shown):
    """A run as the key's person may see it; every other name of the API's answer is there too."""

    id: str
    status: str
    revision: int
    current: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.status in ENDED


class Request(_Shown):
    """A question or a tool call that people answer. Each read of an answer is the same."""

    id: str
    run_id: str
    status: Literal["open", "answered", "rejected", "expired"]
    answer: Any = None
    changed: list[str] = []
    reason: str | None = None
    answered_by: str | None = None
    answered_at: str | None = None


class Rejected(Exception):
    """A person rejected it. `request` says who and when."""

    def __init__(self, request: Request) -> None:
        self.request = request
        super().__init__(f"A person rejected this: {request.reason or 'no reason given'}")


class Expired(Exception):
    """Nobody answered in time."""

    def __init__(self, request: Request) -> None:
        self.request = request
        super().__init__("Nobody answered in time, so this was not allowed.")


class DoesNotFit(Exception):
    """The answer fits the schema as people were shown it, and not the model."""

    def __init__(self, request: Request, error: ValidationError) -> None:
        self.request = request
        super().__init__(f"The answer of {request.id} does not fit: {error}")


def fact(label: str, value: Any) -> Fact:
    """A value of the context that the program vouches for."""
    return {"label": label, "value": value, "kind": "fact"}


def claim(label: str, value: Any) -> Fact:
    """A value of the context that somebody else says, such as a customer or a model."""
    return {"label": label, "value": value, "kind": "claim"}


def _file(name: str, content: bytes, kind: str = "claim") -> Fact:
    return {"name": name, "content": base64.b64encode(content).decode(), "kind": kind}


class _Calls:
    """What both clients send."""

    def __init__(self, url: str, key: str) -> None:
        self.base, self.headers = f"{url.rstrip('/')}/api/v1", {"Authorization": f"Bearer {key}"}

    def call(self, method: str, path: str, *, once: str | None = None, **more: Any) -> Flow[httpx2.Response]:
        """One call, sent again while the console does not answer. Raises HandrailError."""
        key = {"Idempotency-Key": once or str(uuid.uuid4())} if method == "POST" else {}
        for number in range(1, TRIES + 1):
            request = httpx2.Request(method, f"{self.base}{path}", headers=self.headers | key, **more)
            response = yield request
            if response is not None and response.status_code not in PASSING:
                break
            if number == TRIES:
                break
            yield _pause(response, PAUSE_S * number)
        if response is None:
            raise httpx2.ConnectError(f"{self.base} does not answer.")
        if response.is_error:
            raise HandrailError(response)
        return response

    def start(
        self,
        workflow: str,
        record: str | None,
        collection: str | None,
        values: Mapping[str, Any],
        once: str | None,
    ) -> Flow[Run]:
        sent = {"workflow": workflow, "record": record, "collection": collection, "input": dict(values)}
        body = {name: value for name, value in sent.items() if value is not None}
        return Run.model_validate((yield from self.call("POST", "/runs", once=once, json=body)).json())

    def run(self, run_id: str) -> Flow[Run]:
        return Run.model_validate((yield from self.call("GET", f"/runs/{run_id}")).json())

    def answer(self, run: Run, values: Mapping[str, Any], outcome: str | None) -> Flow[Run]:
        step = (run.current or {}).get("step")
        body = {"step": step, "revision": run.revision, "values": dict(values), "outcome": outcome}
        response = yield from self.call("POST", f"/runs/{run.id}/complete", json=body)
        return Run.model_validate(response.json())

    def enrol(
        self, workflow: str, records: Sequence[str], values: Mapping[str, Any], once: str | None
    ) -> Flow[dict[str, Any]]:
        body = {"records": list(records), "values": dict(values)}
        path = f"/workflows/{workflow}/enrolments"
        found: dict[str, Any] = (yield from self.call("POST", path, once=once, json=body)).json()
        while found["status"] == "running":
            yield PAUSE_S
            found = (yield from self.call("GET", f"{path}/{found['id']}")).json()
        return found

    def export(self, path: Path, filters: Mapping[str, str]) -> Flow[Path]:
        given = {"proofs": "1", **filters}
        path.write_bytes((yield from self.call("GET", "/activity-logs/export", params=given)).content)
        return path

    def ask(self, wish: Mapping[str, Any], once: str | None) -> Flow[Request]:
        body = {name: value for name, value in wish.items() if value is not None}
        body |= {"files": [_file(*each) for each in wish.get("files") or ()]}
        return Request.model_validate(
            (yield from self.call("POST", "/requests", once=once, json=body)).json()
        )

    def wait(self, request_id: str) -> Flow[Request]:
        """The request once it is no longer open. Raises Rejected, Expired."""
        while True:
            response = yield from self.call("GET", f"/requests/{request_id}")
            found = Request.model_validate(response.json())
            if found.status == "rejected":
                raise Rejected(found)
            if found.status == "expired":
                raise Expired(found)
            if found.status == "answered":
                return found
            yield _pause(response, PAUSE_S)

    def typed(self, model: type[Answer], wish: Mapping[str, Any], once: str | None) -> Flow[Answer]:
        asked = yield from self.ask({**wish, "schema": model.model_json_schema()}, once)
        found = yield from self.wait(asked.id)
        try:
            return model.model_validate(found.answer)
        except ValidationError as error:
            raise DoesNotFit(found, error) from error


def _pause(response: httpx2.Response | None, least_s: float) -> float:
    told = response.headers.get("Retry-After", "") if response is not None else ""
    return min(max(float(told) if told.isdigit() else 0.0, least_s), LONGEST_PAUSE_S)


class Handrail:
    """The client for programs that wait."""

    def __init__(self, url: str, key: str, *, http: httpx2.Client | None = None) -> None:
        self._calls, self._http = _Calls(url, key), http or httpx2.Client(timeout=30.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._http.close()

    def _do(self, flow: Flow[Result]) -> Result:
        given: httpx2.Response | None = None
        try:
            while True:
                wanted = flow.send(given)
                given = None
                if isinstance(wanted, float):
                    time.sleep(wanted)
                    continue
                try:
                    given = self._http.send(wanted)
                except httpx2.TransportError:
                    given = None
        except StopIteration as done:
            result: Result = done.value
            return result

    def start(
        self,
        workflow: str,
        record: str | None = None,
        *,
        collection: str | None = None,
        once: str | None = None,
        **values: Any,
    ) -> Run:
        """Start a run with these values of its start."""
        return self._do(self._calls.start(workflow, record, collection, values, once))

    def follow(self, run_id: str, every_s: float = PAUSE_S) -> Iterator[Run]:
        """The run each time that it moved, the last time when it has ended."""
        seen = -1
        while True:
            run = self._do(self._calls.run(run_id))
            if run.revision != seen or run.ended:
                seen = run.revision
                yield run
            if run.ended:
                return
            time.sleep(every_s)

    def answer(self, run_id: str, outcome: str | None = None, **values: Any) -> Run:
        """Complete the step at which the run stands."""
        return self._do(self._calls.answer(self._do(self._calls.run(run_id)), values, outcome))

    def enrol(
        self, workflow: str, records: Sequence[str], *, once: str | None = None, **values: Any
    ) -> dict[str, Any]:
        """Enrol records in a workflow, each with these values of its start; what became of them."""
        return self._do(self._calls.enrol(workflow, records, values, once))

    def export(self, path: str | Path, **filters: str) -> Path:
        """Write the activity log with its proofs to an archive."""
        return self._do(self._calls.export(Path(path), filters))

    def request(
        self, title: str, schema: Mapping[str, Any], *, once: str | None = None, **wish: Any
    ) -> Request:
        """Ask people and go on; `wait` has the answer, also after a restart."""
        return self._do(self._calls.ask({"title": title, "schema": dict(schema), **wish}, once))

    def wait(self, request_id: str) -> Request:
        """The answered request. Raises Rejected, Expired."""
        return self._do(self._calls.wait(request_id))

    def ask(self, model: type[Answer], title: str, *, once: str | None = None, **wish: Any) -> Answer:
        """Ask people and wait for their answer. Raises Rejected, Expired, DoesNotFit.

        `wish`: `inbox` or `person`, `text`, `context`, `files` (a name and bytes each, and "fact" where it is one), `due`, `on_silence`.
        """
        return self._do(self._calls.typed(model, {"title": title, **wish}, once))

    def needs_approval(self, **wish: Any) -> Callable[[Callable[Params, Result]], Callable[Params, Result]]:
        """Let a person approve each call of the function, with its arguments as they edited them. Raises Rejected, Expired."""

        def decorate(function: Callable[Params, Result]) -> Callable[Params, Result]:
            @functools.wraps(function)
            def approved(*args: Params.args, **kwargs: Params.kwargs) -> Result:
                found = self._do(self._calls.typed(*_call(function, args, kwargs, wish), None))
                return function(**_arguments(found))  # type: ignore[call-arg]

            return approved

        return decorate


class AsyncHandrail:
    """The same for programs that do something else meanwhile."""

    def __init__(self, url: str, key: str, *, http: httpx2.AsyncClient | None = None) -> None:
        self._calls, self._http = _Calls(url, key), http or httpx2.AsyncClient(timeout=30.0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def _do(self, flow: Flow[Result]) -> Result:
        given: httpx2.Response | None = None
        try:
            while True:
                wanted = flow.send(given)
                given = None
                if isinstance(wanted, float):
                    await asyncio.sleep(wanted)
                    continue
                try:
                    given = await self._http.send(wanted)
                except httpx2.TransportError:
                    given = None
        except StopIteration as done:
            result: Result = done.value
            return result

    async def request(
        self, title: str, schema: Mapping[str, Any], *, once: str | None = None, **wish: Any
    ) -> Request:
        """Ask people and go on; `wait` has the answer, also after a restart."""
        return await self._do(self._calls.ask({"title": title, "schema": dict(schema), **wish}, once))

    async def wait(self, request_id: str) -> Request:
        """The answered request. Raises Rejected, Expired."""
        return await self._do(self._calls.wait(request_id))

    async def ask(self, model: type[Answer], title: str, *, once: str | None = None, **wish: Any) -> Answer:
        """As `Handrail.ask`."""
        return await self._do(self._calls.typed(model, {"title": title, **wish}, once))

    def needs_approval(
        self, **wish: Any
    ) -> Callable[[Callable[Params, Awaitable[Result]]], Callable[Params, Awaitable[Result]]]:
        """As `Handrail.needs_approval`, of an async function."""

        def decorate(function: Callable[Params, Awaitable[Result]]) -> Callable[Params, Awaitable[Result]]:
            @functools.wraps(function)
            async def approved(*args: Params.args, **kwargs: Params.kwargs) -> Result:
                found = await self._do(self._calls.typed(*_call(function, args, kwargs, wish), None))
                return await function(**_arguments(found))  # type: ignore[call-arg]

            return approved

        return decorate


def _call(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], wish: Mapping[str, Any]
) -> tuple[type[BaseModel], dict[str, Any]]:
    """The model of a function's arguments, and the request for the approval of this call."""
    signature = inspect.signature(function, eval_str=True)
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    fields: dict[str, Any] = {name: (each.annotation, ...) for name, each in signature.parameters.items()}
    model = create_model(function.__name__, **fields)
    arguments = model(**bound.arguments).model_dump(mode="json")
    title = str(wish.get("title") or f"Allow {function.__name__.replace('_', ' ')}?")
    call = {"name": function.__name__, "arguments": arguments}
    return model, {**wish, "title": title, "tool_call": call}


def _arguments(found: BaseModel) -> dict[str, Any]:
    return {name: getattr(found, name) for name in type(found).model_fields}


def verify(archive: str | Path, *keys: str, verifier: str | Path = "verify.py") -> str:
    """Check an export with your own copy of the verifier, and return its line. Raises ValueError with the first bad place."""
    command = [sys.executable, "-I", str(verifier), str(archive)]
    given = [part for key in keys for part in ("--key", key)]
    done = subprocess.run([*command, *given], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError((done.stdout + done.stderr).strip())
    return done.stdout.strip()
