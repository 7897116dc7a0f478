"""Tables that tools keep in a database for themselves: lists of migrations, counters, dictionaries of coordinates. They become collections only where somebody asks for them."""

import re

KEPT = {
    "Alembic": r"alembic_version",
    "Android": r"android_metadata|room_master_table",
    "Atlas": r"atlas_schema_revisions",
    "Core Data": r"z_(metadata|primarykey|modelcache)|achange|atransaction|atransactionstring",
    "Diesel": r"__diesel_schema_migrations",
    "Django": r"django_(migrations|session|content_type)",
    "Doctrine": r"doctrine_migration_versions|migration_versions",
    "Drizzle": r"__drizzle_migrations",
    "Entity Framework": r"__efmigrationshistory",
    "Flyway": r"flyway_schema_history",
    "Goose": r"goose_db_version",
    "Knex": r"knex_migrations(_lock)?",
    "Kysely": r"kysely_migration(_lock)?",
    "Liquibase": r"databasechangelog(lock)?",
    "Litestream": r"_litestream_(seq|lock)",
    "Phinx": r"phinxlog",
    "PostGIS": r"spatial_ref_sys|geometry_columns|geography_columns|raster_columns|raster_overviews",
    "PostgreSQL": r"pg_stat_statements(_info)?|pg_buffercache",
    "Prisma": r"_prisma_migrations",
    "Rails": r"ar_internal_metadata",
    "Refinery": r"refinery_schema_history",
    "Sequelize": r"sequelizemeta",
    "SpatiaLite": r"(spatial_ref_sys|geometry_columns|views_geometry_columns|virts_geometry_columns)_(aux|auth|field_infos|statistics|time)|spatialite_history|sql_statements_log",
    "SQLite": r"sqlite_(sequence|stat\d)",
    "SQLx": r"_sqlx_migrations",
    "TypeORM": r"typeorm_metadata",
    "A GeoPackage": r"gpkg_\w+|rtree_\w+",
    "A tool for migrations": r"schema_migrations(_lock)?|schema_versions?|schema_info",
}
_PATTERNS = [(tool, re.compile(pattern)) for tool, pattern in KEPT.items()]


def kept_by(table: str) -> str:
    """The tool that keeps a table of this name for itself; empty for one of people's."""
    return next((tool for tool, pattern in _PATTERNS if pattern.fullmatch(table.lower())), "")
