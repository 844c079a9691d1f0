"""What the metrics count, one of it and many: nouns with their plurals, for whoever says a number of them."""

from __future__ import annotations

from pipeforecast.wording import nnoop

#: By what ``Metric.counts`` says; a test holds it to the catalogue.
COUNTED: dict[str, tuple[str, str]] = {
    many: (one, many)
    for one, many in (
        nnoop("call", "calls"),
        nnoop("campaign touch", "campaign touches"),
        nnoop("customer", "customers"),
        nnoop("deal", "deals"),
        nnoop("deal closed", "deals closed"),
        nnoop("deal closed before", "deals closed before"),
        nnoop("deal created", "deals created"),
        nnoop("deal open", "deals open"),
        nnoop("deal open without an amount", "deals open without an amount"),
        nnoop("deal with a known outcome", "deals with a known outcome"),
        nnoop("deal won", "deals won"),
        nnoop("deal won or booking of spend", "deals won and bookings of spend"),
        nnoop("e-mail", "e-mails"),
        nnoop("existing account", "existing accounts"),
        nnoop("lead", "leads"),
        nnoop("lead active", "leads active"),
        nnoop("lead answered", "leads answered"),
        nnoop("lead contacted", "leads contacted"),
        nnoop("lead created", "leads created"),
        nnoop("meeting", "meetings"),
        nnoop("message sent", "messages sent"),
        nnoop("new customer", "new customers"),
        nnoop("order", "orders"),
        nnoop("proposal", "proposals"),
        nnoop("prospect", "prospects"),
        nnoop("quota", "quotas"),
        nnoop("reply", "replies"),
        nnoop("sign-up", "sign-ups"),
        nnoop("stay", "stays"),
        nnoop("subscription due", "subscriptions due"),
        nnoop("touch", "touches"),
        nnoop("trial", "trials"),
    )
}
