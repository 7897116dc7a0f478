"""SMS gateways as their public documentation describes them: what is typed on the page for each, its answers, and what it tells."""

from dataclasses import dataclass
from typing import Any

HER = "12025550147"


@dataclass(frozen=True)
class Shape:
    """One gateway: what is typed on the page, its answers, and what it tells. `{id}` and `{ours}` stand for the two ids of the message."""

    page: dict[str, str]
    taken: tuple[int, Any]
    refused: tuple[int, Any]
    because: str
    receipt: Any
    word: tuple[str, str]  # (where it says that it arrived, and by which other word that it did not)
    stop: Any
    form: bool = False
    gets: bool = False


JSON = {"method": "POST", "body_kind": "json"}
FORM = {"method": "POST", "body_kind": "form"}
SHAPES = {
    "messagebird": Shape(
        JSON
        | {
            "headers": "Authorization: AccessKey {secret}",
            "body": '{"recipients": ["{to}"], "originator": "{from}", "body": "{text}", "reference": "{id}", "reportUrl": "{callback}"}',
            "message_id": "id",
            "told_message": "id",
            "told_ours": "reference",
            "told_status": "status",
            "failed": "delivery_failed, expired",
            "told_answer": "OK",
            "in_sender": "originator",
            "in_text": "body",
            "in_id": "id",
        },
        (201, {"id": "mb77", "recipients": {"items": [{"status": "sent"}]}}),
        (422, {"errors": [{"code": 21, "description": "The number is not valid", "parameter": "recipients"}]}),
        "The number is not valid",
        {"id": "mb77", "reference": "{ours}", "recipient": HER, "status": "{word}"},
        ("delivered", "delivery_failed"),
        {"id": "in-1", "originator": HER, "recipient": "3197", "body": "STOP"},
        gets=True,
    ),
    "bird": Shape(
        JSON
        | {
            "headers": "Authorization: AccessKey {secret}",
            "body": '{"receiver": {"contacts": [{"identifierValue": "{to}"}]}, "body": {"type": "text", "text": {"text": "{text}"}}, "reference": "{id}"}',
            "message_id": "id",
            "told_message": "payload.id",
            "told_ours": "payload.reference",
            "told_status": "payload.status",
            "told_reason": "payload.reason",
            "failed": "sending_failed, delivery_failed, rejected",
            "in_sender": "payload.sender.contact.identifierValue",
            "in_text": "payload.body.text.text",
            "in_id": "payload.id",
            "in_when": "payload.direction = incoming",
        },
        (202, {"id": "b77", "status": "accepted", "direction": "outgoing"}),
        (422, {"code": "InvalidPayload", "message": "This sender may not be used", "details": {"from": ["no"]}}),
        "This sender may not be used",
        {
            "event": "sms.outbound",
            "payload": {"id": "b77", "direction": "outgoing", "status": "{word}", "body": {"text": {"text": "Hello"}}},
        },
        ("delivered", "delivery_failed"),
        {
            "event": "sms.inbound",
            "payload": {
                "id": "in-1",
                "direction": "incoming",
                "status": "delivered",
                "body": {"type": "text", "text": {"text": "Stop"}},
                "sender": {"contact": {"identifierKey": "phonenumber", "identifierValue": f"+{HER}"}},
            },
        },
    ),
    "vonage": Shape(
        FORM
        | {
            "headers": "",
            "number": "digits",
            "body": "api_key = k\napi_secret = {secret}\nto = {to}\nfrom = {from}\ntext = {text}\nclient-ref = {id}\ntype = {letters}\ncallback = {callback}",
            "letters_plain": "text",
            "letters_other": "unicode",
            "message_id": "messages.0.message-id",
            "again": "messages.0.status = 1\nmessages.0.status = 5",
            "refused": "messages.0.error-text",
            "accepted": "messages.0.status = 0",
            "told_message": "messageId",
            "told_ours": "client-ref",
            "told_status": "status",
            "in_sender": "msisdn",
            "in_text": "text",
            "in_id": "messageId",
        },
        (200, {"message-count": "1", "messages": [{"to": HER, "message-id": "v77", "status": "0"}]}),
        (200, {"message-count": "1", "messages": [{"status": "3", "error-text": "The sender is not allowed"}]}),
        "The sender is not allowed",
        {"msisdn": HER, "to": "shop", "messageId": "v77", "status": "{word}", "err-code": "0", "client-ref": "{ours}"},
        ("delivered", "rejected"),
        {"msisdn": HER, "to": "shop", "messageId": "in-1", "text": "stop", "type": "text", "keyword": "STOP"},
        gets=True,
    ),
    "plivo": Shape(
        JSON
        | {
            "headers": "",
            "user": "MAACCOUNT",
            "body": '{"src": "{from}", "dst": "{to}", "text": "{text}", "url": "{callback}"}',
            "message_id": "message_uuid",
            "told_message": "MessageUUID",
            "told_ours": "",
            "told_status": "Status",
            "told_reason": "ErrorCode",
            "in_sender": "From",
            "in_text": "Text",
            "in_id": "MessageUUID",
        },
        (202, {"message": "message(s) queued", "message_uuid": ["p77"], "api_id": "a"}),
        (400, {"api_id": "a", "error": "dst is not a valid number"}),
        "dst is not a valid number",
        {"From": "1202", "To": HER, "Status": "{word}", "MessageUUID": "p77", "PartInfo": "1 of 1"},
        ("delivered", "undelivered"),
        {"From": HER, "To": "1202", "Type": "sms", "Text": "STOP", "MessageUUID": "in-1"},
        form=True,
    ),
    "sinch": Shape(
        JSON
        | {
            "body": '{"from": "{from}", "to": ["{to}"], "body": "{text}", "client_reference": "{id}", "delivery_report": "per_recipient", "callback_url": "{callback}"}',
            "message_id": "id",
            "told_message": "batch_id",
            "told_ours": "client_reference",
            "told_status": "status",
            "told_reason": "code",
            "failed": "failed, aborted, rejected, expired, deleted",
            "in_sender": "from",
            "in_text": "body",
            "in_id": "id",
        },
        (201, {"id": "s77", "to": [HER], "canceled": False}),
        (400, {"code": "syntax_constraint_violation", "text": "The batch has no sender"}),
        "The batch has no sender",
        {"type": "recipient_delivery_report_sms", "batch_id": "s77", "recipient": HER, "code": 0, "status": "{word}"},
        ("Delivered", "Aborted"),
        {"type": "mo_text", "from": HER, "to": "1318", "id": "in-1", "body": "Stop"},
    ),
    "infobip": Shape(
        JSON
        | {
            "headers": "Authorization: App {secret}",
            "body": '{"messages": [{"destinations": [{"to": "{to}", "messageId": "{id}"}], "from": "{from}", "text": "{text}", "notifyUrl": "{callback}"}]}',
            "number": "digits",
            "refused": "messages.0.status.groupName = REJECTED",
            "accepted": "messages.0.status.groupName = PENDING",
            "message_id": "messages.0.messageId",
            "told_list": "results",
            "told_message": "messageId",
            "told_ours": "",
            "told_status": "status.groupName",
            "told_reason": "error.description",
            "failed": "undeliverable, expired, rejected",
            "in_sender": "from",
            "in_text": "text",
            "in_id": "messageId",
        },
        (
            200,
            {"messages": [{"messageId": "i77", "status": {"groupId": 1, "groupName": "PENDING", "name": "PENDING_ACCEPTED"}, "to": HER}]},
        ),
        (
            200,
            {"messages": [{"messageId": "i77", "status": {"groupName": "REJECTED", "description": "The network is not known"}, "to": HER}]},
        ),
        "The network is not known",
        {"results": [{"messageId": "i77", "to": HER, "status": {"groupName": "{word}"}, "error": {"description": "Absent"}}]},
        ("DELIVERED", "UNDELIVERABLE"),
        {"results": [{"messageId": "in-1", "from": HER, "to": "3197", "text": "STOP", "keyword": "STOP"}], "messageCount": 1},
    ),
    "clicksend": Shape(
        JSON
        | {
            "headers": "",
            "user": "shop",
            "body": '{"messages": [{"to": "{to}", "body": "{text}", "from": "{from}", "custom_string": "{id}"}]}',
            "accepted": "data.messages.0.status = SUCCESS",
            "refused": "data.messages.0.status != SUCCESS",
            "message_id": "data.messages.0.message_id",
            "told_message": "message_id",
            "told_ours": "",
            "told_status": "status",
            "told_reason": "error_text",
            "in_sender": "from",
            "in_text": "message",
            "in_id": "message_id",
        },
        (200, {"http_code": 200, "response_code": "SUCCESS", "data": {"messages": [{"status": "SUCCESS", "message_id": "c77"}]}}),
        (200, {"http_code": 200, "response_msg": "See each message", "data": {"messages": [{"status": "INVALID_RECIPIENT"}]}}),
        "See each message",
        {"message_id": "c77", "status": "{word}", "status_code": "201", "error_text": "", "custom_string": "{ours}"},
        ("Delivered", "Undelivered"),
        {
            "message_id": "in-1",
            "from": f"+{HER}",
            "to": "+61411111111",
            "message": "Stop",
            "original_message_id": "c77",
            "custom_string": "x",
        },
        form=True,
    ),
    "46elks": Shape(
        FORM
        | {
            "headers": "",
            "user": "u1234",
            "body": "from = {from}\nto = {to}\nmessage = {text}\nwhendelivered = {callback}",
            "message_id": "id",
            "told_message": "id",
            "told_ours": "",
            "told_status": "status",
            "in_sender": "from",
            "in_text": "message",
            "in_id": "id",
            "in_when": "direction = incoming",
        },
        (200, {"status": "created", "direction": "outgoing", "id": "e77", "parts": 1}),
        (403, "Not enough credits"),
        "",
        {"id": "e77", "status": "{word}", "delivered": "2026-11-24T19:01:00"},
        ("delivered", "failed"),
        {"direction": "incoming", "id": "in-1", "from": f"+{HER}", "to": "+46706860000", "created": "2026", "message": "STOPP"},
        form=True,
    ),
    "seven": Shape(
        FORM
        | {
            "headers": "X-Api-Key: {secret}\nAccept: application/json",
            "body": "to = {to}\nfrom = {from}\ntext = {text}\nforeign_id = {id}\njson = 1",
            "accepted": "success = 100",
            "refused": "success = 202\nmessages.0.error_text",
            "message_id": "messages.0.id",
            "told_message": "data.msg_id",
            "told_ours": "data.foreign_id",
            "told_status": "data.status",
            "failed": "notdelivered, rejected, failed, expired",
            "in_sender": "data.sender",
            "in_text": "data.text",
            "in_id": "data.id",
        },
        (200, {"success": "100", "total_price": 0.07, "messages": [{"id": "77", "success": True, "error": None, "error_text": None}]}),
        (200, {"success": "202", "messages": [{"id": None, "success": False, "error_text": "The recipient number is invalid"}]}),
        "The recipient number is invalid",
        {"webhook_event": "dlr", "data": {"msg_id": "77", "status": "{word}", "foreign_id": None}},
        ("DELIVERED", "NOTDELIVERED"),
        {"webhook_event": "sms_mo", "data": {"id": 681, "sender": HER, "system": "4915", "text": "Stop", "time": "1605"}},
    ),
    "clickatell": Shape(
        JSON
        | {
            "headers": "Authorization: {secret}",
            "number": "digits",
            "body": '{"messages": [{"channel": "sms", "to": "{to}", "content": "{text}", "clientMessageId": "{id}"}]}',
            "accepted": "messages.0.accepted = true",
            "refused": "messages.0.accepted = false",
            "message_id": "messages.0.apiMessageId",
            "told_message": "messageId",
            "told_ours": "clientMessageId",
            "told_status": "status",
            "delivered": "received_by_recipient",
            "failed": "delivery_error, expired, routing_error",
            "in_sender": "fromNumber",
            "in_text": "text",
            "in_id": "messageId",
        },
        (202, {"messages": [{"apiMessageId": "k77", "accepted": True, "to": HER, "error": None}], "error": None}),
        (
            202,
            {
                "messages": [{"accepted": False, "to": HER, "error": {"code": 11, "description": "The country is not set up"}}],
                "error": None,
            },
        ),
        "The country is not set up",
        {"messageId": "k77", "status": "{word}", "statusCode": "4", "clientMessageId": "{ours}"},
        ("RECEIVED_BY_RECIPIENT", "DELIVERY_ERROR"),
        {"messageId": "in-1", "fromNumber": HER, "toNumber": "4477", "text": "STOP", "charset": "UTF-8"},
    ),
    "gatewayapi": Shape(
        JSON
        | {
            "headers": "Authorization: Token {secret}",
            "number": "digits",
            "body": '{"sender": "{from}", "message": "{text}", "recipients": [{"msisdn": "{to}"}], "userref": "{id}", "callback_url": "{callback}"}',
            "message_id": "ids.0",
            "told_message": "id",
            "told_ours": "userref",
            "told_status": "status",
            "told_reason": "error",
            "failed": "undeliverable, rejected, expired, deleted, skipped",
            "in_sender": "msisdn",
            "in_text": "message",
            "in_id": "id",
        },
        (200, {"ids": [421332671], "usage": {"currency": "EUR", "countries": {"US": 1}}}),
        (422, {"code": "0x0213", "message": "The recipient is not a number", "variables": None}),
        "The recipient is not a number",
        {"id": 421332671, "msisdn": int(HER), "time": 1450000000, "status": "{word}", "userref": "{ours}"},
        ("DELIVERED", "UNDELIVERABLE"),
        {"id": 9, "msisdn": int(HER), "receiver": 451204, "message": "STOP", "senttime": 145},
    ),
    "xml": Shape(
        FORM
        | {
            "headers": "",
            "body": "key = {secret}\nto = {to}\nmsg = {text}",
            "accepted": "result.@code = 0",
            "refused": "result.@code != 0",
            "message_id": "result.id",
            "told_message": "id",
            "told_ours": "",
            "told_status": "state",
            "told_list": "report",
            "in_sender": "from",
            "in_text": "body",
            "in_id": "id",
        },
        (200, b'<?xml version="1.0"?><response><result code="0"><id>x77</id></result></response>'),
        (200, b'<?xml version="1.0"?><response><result code="7"/></response>'),
        "",
        b"<reports><report><id>x1</id><state>failed</state></report><report><id>x77</id><state>{word}</state></report></reports>",
        ("delivered", "failed"),
        b"<incoming><report><id>in-1</id><from>12025550147</from><body>Stop</body></report></incoming>",
    ),
}
