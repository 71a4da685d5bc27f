CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL, copies INTEGER NOT NULL);
CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT NOT NULL, barred INTEGER NOT NULL DEFAULT 0);
CREATE TABLE loans (book_id INTEGER REFERENCES books, member_id INTEGER REFERENCES members, due TEXT NOT NULL);
INSERT INTO books VALUES (1, 'The Lighthouse Keeper', 1), (2, 'Bread and Salt', 2), (3, 'A Field of Stones', 1);
INSERT INTO members VALUES (1, 'Lena Voss', 0), (2, 'Omar Reid', 0), (3, 'Pia Lund', 1);
INSERT INTO loans VALUES (1, 2, '2026-07-05');
