"""Messages: .eml by the standard library, Outlook's .msg by oxmsg. Attachments are named here and read as files.

An attachment's name is text and never a path; ``archives.py`` writes attachments under names of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from typing import Any

from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.html import read_page
from ragsvc.loading.limits import LoadingLimits

_HEADERS = ("From", "To", "Cc", "Date", "Subject")


def read_eml(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return headers, body and the names of attachments; of two bodies the plain one."""
    message = _parse_eml(content)
    body = message.get_body(("plain", "html"))
    is_html = body is not None and body.get_content_type() == "text/html"
    headers = [(header, str(message[header])) for header in _HEADERS if message[header]]
    return _message(headers, _text_of(body) if body is not None else "", is_html, eml_attachments(content))


def read_msg(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """As ``read_eml``, of a message that Outlook saved."""
    message = _parse_msg(content)
    recipients = ", ".join(f"{recipient.name} <{recipient.email_address}>" for recipient in message.recipients)
    date = message.sent_date.isoformat(" ", "seconds") if message.sent_date else ""
    values = (message.sender, recipients, "", date, message.subject)
    headers = [(header, value) for header, value in zip(_HEADERS, values, strict=True) if value]
    body = message.body or message.html_body or ""
    return _message(headers, body, not message.body, msg_attachments(content))


def eml_attachments(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the attachments of a message as (name as written, bytes); a message inside the message is one."""
    for part in _parse_eml(content).iter_attachments():
        name = part.get_filename() or ""
        if part.get_content_type() == "message/rfc822":
            inner = part.get_content()
            yield name or f"{inner['Subject'] or 'message'}.eml", inner.as_bytes()
        elif isinstance(payload := part.get_payload(decode=True), bytes) and name:
            yield name, payload


def msg_attachments(content: bytes) -> Iterator[tuple[str, bytes]]:
    """As ``eml_attachments``, of a message that Outlook saved."""
    for attachment in _parse_msg(content).attachments:
        if attachment.attached_by_value and attachment.file_bytes is not None:
            yield attachment.file_name or "attachment", attachment.file_bytes


def _parse_eml(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _parse_msg(content: bytes) -> Any:
    from oxmsg import Message

    return Message.load(BytesIO(content))


def _text_of(body: Any) -> str:
    payload = body.get_payload(decode=True) or b""
    charset = (body.get_content_charset() or "utf-8").lower()
    try:
        return str(payload.decode("gb18030" if charset in ("gb2312", "gbk") else charset, "replace"))
    except LookupError:
        return str(payload.decode("utf-8", "replace"))


def _message(
    headers: list[tuple[str, str]], body: str, is_html: bool, attachments: Iterator[tuple[str, bytes]]
) -> TextAssembly:
    assembly = TextAssembly()
    assembly.title = dict(headers).get("Subject", "")
    assembly.add("title", assembly.title)
    assembly.add("paragraph", "\n".join(f"{header}: {value}" for header, value in headers))
    if is_html:
        assembly.append(read_page(body))
    else:
        for paragraph in body.replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
            assembly.add("paragraph", paragraph)
    assembly.add("list", "\n".join(f"Attachment: {' '.join(name.split())}" for name, _ in attachments))
    return assembly
