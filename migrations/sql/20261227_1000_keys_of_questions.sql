-- The API key with which a question was asked: its answer holds what the key reaches, and no other key reads it.
alter table console.case_question add column key text;
