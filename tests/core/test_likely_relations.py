"""Which columns of programs without foreign keys look as if they led to another table: by names and kinds alone, as a sample has not spoken yet."""

from typing import Any

from console.core.documents.collections import Stored, assemble, likely_relations
from tests.tables import cases

PROGRAMS: dict[str, dict[str, str]] = {
    "wordpress": {
        "wp_users": "ID* user_login= display_name=",
        "wp_posts": "ID* post_author post_title= post_parent menu_order",
        "wp_postmeta": "meta_id* post_id meta_key=",
        "wp_comments": "comment_ID* comment_post_ID comment_author= user_id",
        "wp_terms": "term_id* name= slug=",
        "wp_term_taxonomy": "term_taxonomy_id* term_id parent count",
    },
    "magento": {
        "customer_entity": "entity_id* email= store_id group_id",
        "customer_group": "customer_group_id* customer_group_code=",
        "store": "store_id* code= website_id",
        "store_website": "website_id* code=",
        "catalog_product_entity": "entity_id* sku=",
        "sales_order": "entity_id* customer_id store_id quote_id increment_id=",
        "quote": "entity_id* customer_id store_id",
        "sales_order_item": "item_id* order_id product_id qty_ordered",
    },
    "moodle": {
        "mdl_user": "id* firstname= lastname=",
        "mdl_course_categories": "id* name= parent",
        "mdl_course": "id* category fullname= sortorder",
        "mdl_enrol": "id* courseid status",
        "mdl_user_enrolments": "id* enrolid userid modifierid",
        "mdl_forum_discussions": "id* course name= userid",
        "mdl_forum_posts": "id* discussion parent userid",
    },
    "redmine": {
        "users": "id* firstname= lastname= status",
        "projects": "id* name= parent_id status",
        "issue_statuses": "id* name=",
        "issues": "id* subject= project_id status_id assigned_to_id author_id lock_version",
        "journals": "id* journalized_id journalized_type= user_id",
        "attachments": "id* container_id container_type= author_id",
    },
    "prestashop": {
        "ps_product": "id_product* reference= id_category_default",
        "ps_orders": "id_order* id_customer reference=",
        "ps_order_detail": "id_order_detail* id_order product_id",
        "ps_customer": "id_customer* lastname=",
    },
    "matomo": {
        "matomo_site": "idsite* name=",
        "matomo_log_visit": "idvisit* idsite visit_total_time",
        "matomo_log_link_visit_action": "idlink_va* idsite idvisit",
    },
}
LED = {
    "wordpress": "wp_posts.post_author wp_users|wp_posts.post_parent wp_posts|wp_postmeta.post_id wp_posts|wp_comments.comment_post_ID wp_posts"
    "|wp_comments.user_id wp_users|wp_term_taxonomy.term_id wp_terms|wp_term_taxonomy.parent wp_term_taxonomy",
    "magento": "customer_entity.store_id store|customer_entity.group_id customer_group|store.website_id store_website|sales_order.customer_id customer_entity"
    "|sales_order.store_id store|sales_order.quote_id quote|quote.customer_id customer_entity|quote.store_id store|sales_order_item.order_id sales_order"
    "|sales_order_item.product_id catalog_product_entity",
    "moodle": "mdl_course_categories.parent mdl_course_categories|mdl_course.category mdl_course_categories|mdl_enrol.courseid mdl_course"
    "|mdl_user_enrolments.enrolid mdl_enrol|mdl_user_enrolments.userid mdl_user|mdl_user_enrolments.modifierid mdl_user|mdl_forum_discussions.course mdl_course"
    "|mdl_forum_discussions.userid mdl_user|mdl_forum_posts.discussion mdl_forum_discussions|mdl_forum_posts.parent mdl_forum_posts|mdl_forum_posts.userid mdl_user",
    "redmine": "projects.parent_id projects|issues.project_id projects|issues.status_id issue_statuses|issues.assigned_to_id users|issues.author_id users"
    "|journals.user_id users|attachments.author_id users",
    "prestashop": "ps_orders.id_customer ps_customer|ps_order_detail.id_order ps_orders|ps_order_detail.product_id ps_product",
    "matomo": "matomo_log_visit.idsite matomo_site|matomo_log_link_visit_action.idsite matomo_site|matomo_log_link_visit_action.idvisit matomo_log_visit",
}


def structure(table: str, columns: str, **more: Any) -> dict[str, Any]:
    """A table: `id*` is its key, `name=` a text, the others are whole numbers."""
    made = [
        {
            "name": each.rstrip("*="),
            "stored": "text" if each.endswith("=") else "integer",
            "nullable": True,
            "comment": None,
        }
        for each in columns.split()
    ]
    key = [each.rstrip("*") for each in columns.split() if each.endswith("*")]
    return {
        "schema": None,
        "table": table,
        "kind": "table",
        "comment": None,
        "dialect": "sqlite",
        "key": key,
        "columns": made,
        "foreign_keys": [],
        **more,
    }


def guessed(tables: dict[str, str], **documents: dict[str, Any]) -> list[str]:
    """ "table.column target" of each guess, the likeliest target of each column."""
    made = assemble(
        Stored(f"s.{name}", "s", structure(name, columns), documents.get(name, {}))
        for name, columns in tables.items()
    )
    every = list(made.values())
    return [
        f"{own.table}.{field.name} {targets[0].table}"
        for own in every
        for field, targets in likely_relations.likely(own, likely_relations.Targets(every))
    ]


@cases("program", sorted(PROGRAMS))
def test_the_likeliest_table_of_each_column(program: str) -> None:
    assert guessed(PROGRAMS[program]) == LED[program].split("|")


def test_what_is_a_relation_already_is_not_offered_again() -> None:
    said = {"relations": [{"name": "who", "collection": "s.users", "kind": "to_one", "via": "author_id"}]}
    assert "issues.author_id users" not in guessed(PROGRAMS["redmine"], issues=said)


def test_a_said_relation_to_a_key_is_as_a_foreign_key() -> None:
    said = {"relations": [{"name": "who", "collection": "s.users", "kind": "to_one", "via": "author_id"}]}
    tables = PROGRAMS["redmine"]
    made = assemble(
        Stored(f"s.{name}", "s", structure(name, columns), said if name == "issues" else {})
        for name, columns in tables.items()
    )
    author = made["s.issues"].by_name["author_id"]
    assert (author.label, author.type, author.references) == ("Author", "reference", "s.users")
    assert [(relation.collection, relation.kind) for relation in made["s.users"].relations] == [
        ("s.issues", "to_many")
    ], "it leads back too"


def test_names_of_new_relations_are_free_and_fit_a_document() -> None:
    made = assemble(
        Stored(f"s.{name}", "s", structure(name, columns), {})
        for name, columns in PROGRAMS["redmine"].items()
    )
    issues, users = made["s.issues"], made["s.users"]
    first = likely_relations.document_of(issues.by_name["author_id"], users, [])
    assert first == {"name": "author", "collection": "s.users", "kind": "to_one", "via": "author_id"}
    assert (
        likely_relations.document_of(issues.by_name["author_id"], users, ["author", "author_2"])["name"]
        == "author_3"
    )


def test_kinds_that_differ_and_views_are_not_offered() -> None:
    made = assemble(
        [
            Stored("s.users", "s", structure("users", "id* name="), {}),
            Stored("s.notes", "s", structure("notes", "id* user_id= text="), {}),
            Stored("s.projects", "s", structure("projects", "id* name=", kind="view"), {}),
            Stored("s.tasks", "s", structure("tasks", "id* project_id"), {}),
        ]
    )
    assert [
        likely_relations.likely(own, likely_relations.Targets(list(made.values()))) for own in made.values()
    ] == [[], [], [], []]
