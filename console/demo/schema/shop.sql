-- A small shop to connect as one's own database: the guide, the tests and the pictures use it. The same rows each time.
create table customer (
    id integer primary key,
    name varchar(80) not null,
    email varchar(120) not null,
    phone varchar(30),
    country char(2) not null,
    status varchar(10) not null default 'new' check (status in ('new', 'checked', 'closed')),
    limit_amount numeric(12, 2) not null check (limit_amount >= 0),
    currency char(3) not null default 'EUR',
    since date not null,
    password_hash varchar(80) not null
);
create table product (
    id integer primary key,
    name varchar(80) not null,
    price numeric(10, 2) not null,
    currency char(3) not null default 'EUR',
    colour char(7) not null,
    picture_url varchar(120)
);
create table purchase (
    id integer primary key,
    customer_id integer not null references customer (id),
    placed_on date not null,
    status varchar(10) not null default 'paid' check (status in ('paid', 'sent', 'returned')),
    total numeric(12, 2) not null,
    currency char(3) not null default 'EUR'
);
create table purchase_item (
    purchase_id integer not null references purchase (id),
    product_id integer not null references product (id),
    quantity integer not null,
    price numeric(10, 2) not null,
    primary key (purchase_id, product_id)
);
create table interest (id integer primary key, name varchar(40) not null);
create table customer_interest (
    customer_id integer not null references customer (id),
    interest_id integer not null references interest (id),
    primary key (customer_id, interest_id)
);
create table invoice (number integer primary key, customer_no integer not null, issued_on date not null, total numeric(12, 2) not null);
create index purchase_of on purchase (customer_id);

insert into interest values (1, 'Camping'), (2, 'Climbing'), (3, 'Cycling'), (4, 'Sailing');
insert into product values
    (1, 'Tent for two', 189.00, 'EUR', '#2f6f4e', 'https://shop.example/pictures/tent.png'),
    (2, 'Sleeping bag', 99.50, 'EUR', '#b3541e', 'https://shop.example/pictures/bag.png'),
    (3, 'Climbing rope, 60 m', 149.90, 'EUR', '#d4a017', 'https://shop.example/pictures/rope.png'),
    (4, 'Bicycle lamp', 34.95, 'EUR', '#1f3a93', 'https://shop.example/pictures/lamp.png'),
    (5, 'Rain jacket', 129.00, 'EUR', '#9b2226', 'https://shop.example/pictures/jacket.png'),
    (6, 'Camping stove', 59.90, 'EUR', '#5c677d', 'https://shop.example/pictures/stove.png');

with
    given (place, word) as (select key, value from json_each('["Ana", "Bruno", "Carla", "Dario", "Elif", "Finn", "Greta", "Hugo"]')),
    family (place, word) as (select key, value from json_each('["Almeida", "Berger", "Costa", "Dubois", "Eriksen"]')),
    land (place, code, dial) as (values (0, 'DE', '+49 30 55501'), (1, 'FR', '+33 1 555 01'), (2, 'IT', '+39 06 55501'), (3, 'PT', '+351 21 5550'))
insert into customer
select
    row_number() over (order by family.place, given.place), given.word || ' ' || family.word, lower(given.word || '.' || family.word) || '@people.example',
    land.dial || printf('%02d', given.place * 5 + family.place), land.code, case when (given.place + family.place) % 3 = 0 then 'checked' else 'new' end,
    250 + 50 * ((given.place * 3 + family.place) % 8), 'EUR', date('2025-01-10', printf('+%d days', given.place * 37 + family.place * 11)),
    '$2b$12$' || substr(hex(given.word || family.word) || hex('shop of the guide'), 1, 40)
from given, family join land on land.place = (given.place + family.place) % 4;

with recursive number (n) as (select 1 union all select n + 1 from number where n < 120)
insert into purchase
select n, 1 + (n * 7) % 40, date('2026-11-01', printf('-%d days', (n * 5) % 300)), case n % 9 when 0 then 'returned' when 1 then 'paid' else 'sent' end, 0, 'EUR'
from number;
insert into purchase_item
select purchase.id, product.id, 1 + (purchase.id + product.id) % 3, product.price
from purchase join product on (purchase.id + product.id) % 4 = 0;
update purchase set total = coalesce((select round(sum(quantity * price), 2) from purchase_item where purchase_id = purchase.id), 0);
insert into customer_interest select customer.id, interest.id from customer join interest on (customer.id + interest.id) % 3 = 0;
insert into invoice select 2600 + id, customer_id, placed_on, total from purchase where status = 'sent';
