"""Every refusal as one shape: a status, a code for programs, a sentence for people."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from emorank.errors import AudioError, EmorankError
from emorank.search.filter import FilterError


class Problem(BaseModel):
    """What was wrong."""

    code: str
    message: str


class ErrorAnswer(BaseModel):
    """The body of every answer that is not a success."""

    error: Problem


class Refused(HTTPException):
    """A request that is not answered as asked."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, headers)
        self.code = code

    @property
    def response(self) -> JSONResponse:
        """The refusal as a response."""
        return answer(self.status_code, self.code, self.detail, self.headers)


def busy(message: str = "Too many requests wait already; try again in a few seconds.") -> Refused:
    """The refusal of what would be too much at once."""
    return Refused(503, "busy", message, {"Retry-After": "3"})


def answer(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An answer that is not a success; browsers must not remember it, or a recording stays changed for them."""
    body = {"error": {"code": code, "message": message}}
    return JSONResponse(body, status, {"Cache-Control": "no-store", **(headers or {})})


def internal() -> JSONResponse:
    """The answer where the server itself failed."""
    return answer(500, "internal", "Something went wrong in the server; its log says what.")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Refusals for the OpenAPI document."""
    return {status: {"model": ErrorAnswer} for status in statuses}


_CODES = {404: "not_found", 405: "method_not_allowed"}


def install(app: FastAPI) -> None:
    """Make all errors of an app answers of this shape."""

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> JSONResponse:
        return error.response

    @app.exception_handler(FilterError)
    async def filter_error(_: Request, error: FilterError) -> JSONResponse:
        return answer(400, "bad_filter", str(error))

    @app.exception_handler(AudioError)
    async def audio_error(_: Request, error: AudioError) -> JSONResponse:
        return answer(415, "bad_audio", f"The recording cannot be used: {error.reason}")

    @app.exception_handler(EmorankError)
    async def user_error(_: Request, error: EmorankError) -> JSONResponse:
        return answer(400, "bad_query", str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
        reason = first["msg"].removeprefix("Value error, ")
        message = f"{place}: {reason}" if place else reason
        return answer(422, "invalid", message.encode("utf8", "replace").decode("utf8"))

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> JSONResponse:
        return internal()

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        return answer(error.status_code, _CODES.get(error.status_code, "refused"), f"{error.detail}.", error.headers)
