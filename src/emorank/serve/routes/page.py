"""The page. All of its addresses are relative, so that it works under any prefix."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from emorank.serve.access import COOKIE
from emorank.serve.tokens import Tokens

FOLDER = Path(__file__).parents[1] / "page"

router = APIRouter(include_in_schema=False)


@router.get("/recording/{id}")
async def recording() -> Response:
    """The page of a recording, whose id it reads from its address."""
    return FileResponse(FOLDER / "recording.html", headers={"Cache-Control": "no-cache"})


@router.get("/")
async def page(request: Request) -> Response:
    """The page; a token in its address goes into a cookie, and so into no history."""
    return entered(request, "index.html")


def entered(request: Request, file: str) -> Response:
    """A page, or where a token is shown in its address, the way to it with the token in a cookie."""
    shown = request.query_params.get("token")
    if shown is None:
        return FileResponse(FOLDER / file, headers={"Cache-Control": "no-cache"})
    response: Response = RedirectResponse("./", 303)
    tokens: Tokens = request.app.state.tokens
    if tokens.scopes_of(shown):
        secure = request.url.scheme == "https"
        # Without a path the cookie is kept for the folder of this address, whatever prefix a proxy takes away.
        response.set_cookie(COOKIE, shown, path=None, secure=secure, httponly=True, samesite="strict")
    return response
