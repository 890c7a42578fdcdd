package main

import (
	"bufio"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// A tool does one thing to a database and says what it found. Paths are arguments; the answer is one line of JSON on
// standard output, an error one line on standard error.
type tool struct {
	arguments string
	run       func(arguments []string) (any, error)
	count     int
}

var tools = map[string]tool{
	"check":    {"", runCheck, 0},
	"snapshot": {"DATABASE FILE", snapshot, 2},
	"restore":  {"SNAPSHOT DATABASE BUMP", restore, 3},
	"inspect":  {"DATABASE", func(a []string) (any, error) { return inspect(a[0]) }, 1},
	"export":   {"DATABASE FILE", export, 2},
}

// summary is what is known of a database.
type summary struct {
	// Revision is the highest that a client can have seen.
	Revision int64 `json:"revision"`
	// Keys that are there now, without kine's own.
	Keys int64 `json:"keys"`
}

func use(name string, t tool, arguments []string) int {
	if len(arguments) != t.count {
		fmt.Fprintf(os.Stderr, "usage: kine %s %s\n", name, t.arguments)
		return 2
	}
	// Whatever is written holds a cluster's secrets.
	syscall.Umask(0o077)
	answer, err := t.run(arguments)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, redact(err, os.Getenv(endpointVariable)))
		return 1
	}
	return 0
}

// The rows that count: the latest of each key that is not a deletion. Kine's own keys are no client's: the marker of
// compaction, the fillers of gaps, and the key that kube-apiserver's compaction is kept under.
const live = `
	FROM kine WHERE id IN (SELECT MAX(id) FROM kine GROUP BY name) AND deleted = 0
	AND name NOT IN ('compact_rev_key', 'compact_rev_key_apiserver') AND name NOT LIKE 'gap-%'`

// open opens a database that is there; `mode` is SQLite's `ro` or `rw`.
func open(path, mode string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	place := url.URL{Scheme: "file", Path: path, RawQuery: "mode=" + mode + "&_pragma=busy_timeout(30000)"}
	db, err := sql.Open("sqlite", place.String())
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// snapshot copies a database that may be in use: one read transaction, so that the copy is of one moment.
func snapshot(arguments []string) (any, error) {
	source, target := arguments[0], arguments[1]
	db, err := open(source, "ro")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if _, err := db.Exec("VACUUM INTO ?", target); err != nil {
		return nil, fmt.Errorf("copy `%s`: %w", source, err)
	}
	if err := persist(target); err != nil {
		return nil, err
	}
	return inspect(target)
}

// restore makes a database of a snapshot, in which the revision is higher by `bump` and everything before it counts as
// compacted. A client that has seen a revision later than the snapshot is then told to list again instead of being given
// that revision a second time for something else: what etcd's own restore does with `--bump-revision --mark-compacted`.
func restore(arguments []string) (any, error) {
	source, target := arguments[0], arguments[1]
	bump, err := strconv.ParseInt(arguments[2], 10, 64)
	if err != nil || bump < 0 {
		return nil, fmt.Errorf("not an amount: `%s`", arguments[2])
	}
	if err := duplicate(source, target); err != nil {
		return nil, err
	}
	db, err := open(target, "rw")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return nil, fmt.Errorf("check `%s`: %w", target, err)
	}
	if verdict != "ok" {
		return nil, fmt.Errorf("check `%s`: %s", target, verdict)
	}
	if bump > 0 {
		if err := raise(db, bump); err != nil {
			return nil, fmt.Errorf("raise the revision in `%s`: %w", target, err)
		}
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	if err := persist(target); err != nil {
		return nil, err
	}
	return inspect(target)
}

// raise writes one filler row far above the last. Kine takes the highest id for the current revision when it starts and
// only fills gaps that appear later, so the gap below costs nothing; the next compaction removes the row.
func raise(db *sql.DB, bump int64) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var highest int64
	if err := tx.QueryRow("SELECT COALESCE(MAX(id), 0) FROM kine").Scan(&highest); err != nil {
		return err
	}
	next := highest + bump
	_, err = tx.Exec(`INSERT INTO kine(id, name, created, deleted, create_revision, prev_revision, lease, value, old_value)
		VALUES(?, ?, 0, 1, 0, 0, 0, NULL, NULL)`, next, fmt.Sprintf("gap-%d", next))
	if err != nil {
		return err
	}
	marked, err := tx.Exec("UPDATE kine SET prev_revision = ? WHERE name = 'compact_rev_key'", next)
	if err != nil {
		return err
	}
	if rows, err := marked.RowsAffected(); err != nil || rows == 0 {
		return fmt.Errorf("no marker of compaction in it: not kine's (%v)", err)
	}
	return tx.Commit()
}

func inspect(path string) (any, error) {
	db, err := open(path, "ro")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var found summary
	err = db.QueryRow("SELECT COALESCE((SELECT MAX(id) FROM kine), 0), (SELECT COUNT(*) "+live+")").
		Scan(&found.Revision, &found.Keys)
	if err != nil {
		return nil, fmt.Errorf("read `%s`: %w", path, err)
	}
	return found, nil
}

// export writes every key: a line each, in the order of their bytes, `KEY VALUE TTL`, the first two in base64, the third
// in seconds, 0 for ever.
func export(arguments []string) (any, error) {
	source, target := arguments[0], arguments[1]
	db, err := open(source, "ro")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	file, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := lines(db, file); err != nil {
		return nil, fmt.Errorf("export `%s`: %w", source, err)
	}
	return inspect(source)
}

func lines(db *sql.DB, file io.Writer) error {
	rows, err := db.Query("SELECT CAST(name AS BLOB), value, lease " + live + " ORDER BY CAST(name AS BLOB)")
	if err != nil {
		return err
	}
	defer rows.Close()
	out := bufio.NewWriter(file)
	for rows.Next() {
		var key, value []byte
		var lease int64
		if err := rows.Scan(&key, &value, &lease); err != nil {
			return err
		}
		encode := base64.StdEncoding.EncodeToString
		fmt.Fprintf(out, "%s %s %d\n", encode(key), encode(value), lease)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return out.Flush()
}

func duplicate(source, target string) error {
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer to.Close()
	_, err = io.Copy(to, from)
	return err
}

// persist makes a written file last a power loss.
func persist(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Sync()
}

// patience is how long a database may take to answer a look at it.
const patience = 10 * time.Second
