"""What calls of the API answer, as models: the description of the API is made of them, and tests compare every answer with them.

A name without a default is always there; one with a default may be missing. Decimals are text, moments RFC 3339 in UTC.
"""

from console.views.api.shapes.base import (
    AbsenceKept,
    AbsencePlanned,
    Account,
    Anything,
    ConnectionShown,
    ConnectorShown,
    ConnectorTest,
    Cursor,
    Error,
    Listed,
    McpServer,
    Me,
    Moment,
    Open,
    OutgoingSecret,
    PersonShown,
    Row,
    Shape,
    Status,
    Values,
)
from console.views.api.shapes.case_questions import CaseQuestion
from console.views.api.shapes.enrolments import (
    EnrolledLeads,
    EnrolmentBatch,
    EnrolmentLead,
    EnrolmentRow,
    Reason,
    TakeOut,
    TakeOutPlan,
    WorkflowCounts,
)
from console.views.api.shapes.events import ActivityPage, AiCall, Event, Looked, Replay, Screen
from console.views.api.shapes.files import Check, Checklist, File, FileValue, Paper, Place
from console.views.api.shapes.messages import Channel, ContactRules, LeadConsents, Message
from console.views.api.shapes.monitoring import Alert, DueTime, Incident, RetriedGroup, WorkflowMetrics
from console.views.api.shapes.notes import Note, NotesFound
from console.views.api.shapes.records import (
    Collection,
    CollectionHead,
    ContactImport,
    Export,
    ImportCounts,
    LeftOut,
    Option,
    Record,
    Records,
    Relation,
    Tag,
)
from console.views.api.shapes.requests import Request, RequestAsked
from console.views.api.shapes.runs import (
    AbortPreview,
    Attempt,
    Cancelled,
    Checked,
    Compensation,
    Current,
    Decided,
    Draft,
    Effect,
    Form,
    FormField,
    Proposal,
    RevisePreview,
    Run,
    RunHead,
    Saved,
    TakeOver,
    Ticket,
    Void,
    Waiting,
)
from console.views.api.shapes.tickets import (
    Approval,
    ApprovalRemark,
    Given,
    Inbox,
    Tickets,
    Work,
    WorkMove,
    WorkMoved,
    WorkRef,
)
from console.views.api.shapes.webhooks_out import OutgoingDelivery, OutgoingWebhook
from console.views.api.shapes.workflows import (
    Activation,
    BuilderTurn,
    BuilderTurnRef,
    Cancellation,
    Definition,
    DryRun,
    PublishingImpact,
    PublishingReview,
    PublishingReviewWhole,
    RunMove,
    RunMovePlan,
    Trial,
    VersionHead,
    VersionWhole,
    Workflow,
    WorkflowDraft,
    WorkflowEdge,
    WorkflowNode,
)
from console.views.api.shapes.workspaces import WorkspaceDocument, WorkspaceHead
