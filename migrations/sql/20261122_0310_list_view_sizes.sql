-- Records on a page and widths of columns (pixels), as each person keeps them for a list; null: the usual ones.
alter table console.list_view
    add column page_size integer check (page_size in (20, 40, 100, 200)),
    add column widths jsonb check (jsonb_typeof(widths) = 'object');
