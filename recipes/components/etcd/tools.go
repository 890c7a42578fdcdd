package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"
)

// A tool does one thing to a datastore and says what it found. The answer is one line of JSON on standard output, an
// error one line on standard error.
type tool func(flags *flag.FlagSet, arguments []string) (any, error)

var tools = map[string]tool{
	"check":    check,
	"snapshot": save,
	"copy":     copyStopped,
	"restore":  restore,
	"inspect":  inspectFile,
	"export":   exportFile,
	"import":   importFile,
}

// summary is what is known of a datastore.
type summary struct {
	// Revision is the highest that a client can have seen.
	Revision int64 `json:"revision"`
	// Keys that are there now.
	Keys int64 `json:"keys"`
}

func use(name string, t tool, arguments []string) int {
	flags := flag.NewFlagSet("etcd "+name, flag.ExitOnError)
	// Whatever is written holds a cluster's secrets.
	syscall.Umask(0o077)
	answer, err := t(flags, arguments)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " "))
		return 1
	}
	return 0
}

// operands parses flags and takes what follows them, which must be `count`.
func operands(flags *flag.FlagSet, arguments []string, count int) ([]string, error) {
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if flags.NArg() != count {
		return nil, fmt.Errorf("%s: %d operands wanted, %d given", flags.Name(), count, flags.NArg())
	}
	return flags.Args(), nil
}

// save takes a snapshot of a running server.
func save(flags *flag.FlagSet, arguments []string) (any, error) {
	endpoint := flags.String("endpoint", "https://127.0.0.1:2379", "client `URL`")
	files := credentials(flags)
	limit := flags.Duration("timeout", 5*time.Minute, "time it may take")
	rest, err := operands(flags, arguments, 1)
	if err != nil {
		return nil, err
	}
	config, err := configure(files, []string{*endpoint})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), *limit)
	defer cancel()
	manager := snapshot.NewV3(zap.NewNop())
	if _, err := manager.Save(ctx, config, rest[0]); err != nil {
		return nil, fmt.Errorf("snapshot of `%s`: %w", *endpoint, err)
	}
	return inspect(rest[0])
}

// copyStopped makes a snapshot of the file `member/snap/db` of a member that does not run: the database as it is, and its
// SHA-256 behind it, as a server sends it.
func copyStopped(flags *flag.FlagSet, arguments []string) (any, error) {
	rest, err := operands(flags, arguments, 2)
	if err != nil {
		return nil, err
	}
	if err := copyDatabase(rest[0], rest[1]); err != nil {
		return nil, fmt.Errorf("copy of `%s`: %w", rest[0], err)
	}
	return inspect(rest[1])
}

func copyDatabase(from, to string) error {
	database, err := bolt.Open(from, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		err = errors.New("a server uses it")
	}
	if err != nil {
		return err
	}
	defer database.Close()
	file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	err = database.View(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(io.MultiWriter(file, sum))
		return err
	})
	if err != nil {
		return err
	}
	if _, err := file.Write(sum.Sum(nil)); err != nil {
		return err
	}
	return file.Sync()
}

// member says which member a data folder is made for.
type member struct {
	name    string
	peerURL string
	token   string
}

func (m *member) flags(flags *flag.FlagSet) {
	flags.StringVar(&m.name, "name", "", "the member's `name`")
	flags.StringVar(&m.peerURL, "peer-url", "", "`URL` at which other members reach it")
	flags.StringVar(&m.token, "token", "sk8s", "`token` of the cluster")
}

func (m *member) cluster() string { return m.name + "=" + m.peerURL }

// restore makes the data folder of a cluster of one from a snapshot. Revisions go on `bump` above the snapshot's last, and
// all before count as compacted, so that clients which have seen later ones list again.
func restore(flags *flag.FlagSet, arguments []string) (any, error) {
	var m member
	m.flags(flags)
	bump := flags.Uint64("bump", 1_000_000_000, "revisions to skip, `n`")
	rest, err := operands(flags, arguments, 2)
	if err != nil {
		return nil, err
	}
	found, err := inspect(rest[0])
	if err != nil {
		return nil, err
	}
	if err := m.make(rest[0], rest[1], *bump, false); err != nil {
		return nil, err
	}
	found.Revision += int64(*bump)
	return found, persist(rest[1])
}

func (m *member) make(source, folder string, bump uint64, withoutHash bool) error {
	err := snapshot.NewV3(zap.NewNop()).Restore(snapshot.RestoreConfig{
		SnapshotPath:        source,
		Name:                m.name,
		OutputDataDir:       folder,
		PeerURLs:            []string{m.peerURL},
		InitialCluster:      m.cluster(),
		InitialClusterToken: m.token,
		SkipHashCheck:       withoutHash,
		RevisionBump:        bump,
		MarkCompacted:       bump > 0,
	})
	if err != nil {
		return fmt.Errorf("restore `%s`: %w", source, err)
	}
	return nil
}

func inspectFile(flags *flag.FlagSet, arguments []string) (any, error) {
	rest, err := operands(flags, arguments, 1)
	if err != nil {
		return nil, err
	}
	return inspect(rest[0])
}

func inspect(path string) (summary, error) {
	status, err := snapshot.NewV3(zap.NewNop()).Status(path)
	if err != nil {
		return summary{}, fmt.Errorf("read `%s`: %w", path, err)
	}
	keys := map[string]struct{}{}
	err = walk(path, func(key string, pair *mvccpb.KeyValue) {
		if pair == nil {
			delete(keys, key)
		} else {
			keys[key] = struct{}{}
		}
	})
	return summary{Revision: status.Revision, Keys: int64(len(keys))}, err
}
