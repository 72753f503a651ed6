"""The one registry of topics: every event type of every context. A topic that is missing here cannot be read back."""

from typing import Final

from domain.accounts import ACCOUNT_EVENTS
from domain.announcements import ANNOUNCEMENT_EVENTS
from domain.auto_recharge.events import AUTO_RECHARGE_EVENTS
from domain.balance_alerts import LOW_BALANCE_EVENTS
from domain.bodies import BODY_EVENTS
from domain.budgets.events import ALERT_EVENTS, BUDGET_EVENTS, SHARE_EVENTS
from domain.catalogue.events import CATALOGUE_EVENTS
from domain.event import Event, TopicRegistry
from domain.health.events import HEALTH_EVENTS
from domain.hooks.events import ENDPOINT_EVENTS
from domain.invoicing.automation import INVOICING_EVENTS
from domain.invoicing.billing import BILLING_EVENTS
from domain.invoicing.document import DOCUMENT_EVENTS
from domain.invoicing.rates import RATE_EVENTS
from domain.invoicing.sellers import SELLER_EVENTS
from domain.keys.events import KEY_EVENTS
from domain.ledger.adjustments import ADJUSTMENT_EVENTS
from domain.ledger.charges import CHARGE_EVENTS
from domain.ledger.events import LEDGER_EVENTS
from domain.ledger.idempotency import IDEMPOTENCY_EVENTS
from domain.mails import MAIL_EVENTS
from domain.management import MANAGEMENT_EVENTS
from domain.members import MEMBER_EVENTS
from domain.money.events import MONEY_EVENTS
from domain.operators import OPERATOR_EVENTS
from domain.periods import PERIOD_EVENTS
from domain.postpaid.events import POSTPAID_EVENTS
from domain.promotions.demo import DEMO_EVENTS
from domain.promotions.events import PROMOTION_EVENTS
from domain.recharge.events import ORDER_EVENTS, PAYMENT_EVENTS
from domain.recharge.offers import OFFER_EVENTS
from domain.recharge.webhooks import WEBHOOK_EVENTS
from domain.refusal_summaries import REFUSAL_EVENTS
from domain.repricing import REPRICING_EVENTS
from domain.support import SUPPORT_EVENTS
from domain.work import WORK_EVENTS

ALL_EVENTS: Final[tuple[type[Event], ...]] = (
    *ACCOUNT_EVENTS,
    *ANNOUNCEMENT_EVENTS,
    *BODY_EVENTS,
    *BUDGET_EVENTS,
    *SHARE_EVENTS,
    *ALERT_EVENTS,
    *LOW_BALANCE_EVENTS,
    *KEY_EVENTS,
    *MAIL_EVENTS,
    *MEMBER_EVENTS,
    *MANAGEMENT_EVENTS,
    *OPERATOR_EVENTS,
    *SUPPORT_EVENTS,
    *PERIOD_EVENTS,
    *CATALOGUE_EVENTS,
    *HEALTH_EVENTS,
    *LEDGER_EVENTS,
    *ADJUSTMENT_EVENTS,
    *CHARGE_EVENTS,
    *IDEMPOTENCY_EVENTS,
    *REFUSAL_EVENTS,
    *REPRICING_EVENTS,
    *OFFER_EVENTS,
    *ORDER_EVENTS,
    *PAYMENT_EVENTS,
    *AUTO_RECHARGE_EVENTS,
    *POSTPAID_EVENTS,
    *PROMOTION_EVENTS,
    *DEMO_EVENTS,
    *SELLER_EVENTS,
    *RATE_EVENTS,
    *BILLING_EVENTS,
    *DOCUMENT_EVENTS,
    *INVOICING_EVENTS,
    *WEBHOOK_EVENTS,
    *MONEY_EVENTS,
    *ENDPOINT_EVENTS,
    *WORK_EVENTS,
)
REGISTRY: Final = TopicRegistry(*ALL_EVENTS)
