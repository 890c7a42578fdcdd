package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"go.etcd.io/etcd/server/v3/storage/schema"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// exportFile writes every key of a snapshot, or of the file `member/snap/db` of a member that does not run: a line each,
// in the order of their bytes, `KEY VALUE TTL`, the first two in base64; the third is -1 for a key that expires.
func exportFile(flags *flag.FlagSet, arguments []string) (any, error) {
	rest, err := operands(flags, arguments, 2)
	if err != nil {
		return nil, err
	}
	pairs, err := live(rest[0])
	if err != nil {
		return nil, fmt.Errorf("read `%s`: %w", rest[0], err)
	}
	file, err := os.OpenFile(rest[1], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	out := bufio.NewWriter(file)
	keys := make([]string, 0, len(pairs))
	for key := range pairs {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		ttl := 0
		if pairs[key].GetLease() != 0 {
			ttl = -1
		}
		encode := base64.StdEncoding.EncodeToString
		fmt.Fprintf(out, "%s %s %d\n", encode([]byte(key)), encode(pairs[key].GetValue()), ttl)
	}
	if err := out.Flush(); err != nil {
		return nil, err
	}
	return inspect(rest[0])
}

// live is what a store holds now: the last value of each key that was not deleted.
func live(path string) (map[string]*mvccpb.KeyValue, error) {
	pairs := map[string]*mvccpb.KeyValue{}
	return pairs, walk(path, func(key string, pair *mvccpb.KeyValue) {
		if pair == nil {
			delete(pairs, key)
		} else {
			pairs[key] = pair
		}
	})
}

// walk shows every write of a store in its order; one without a pair is a deletion.
func walk(path string, visit func(key string, pair *mvccpb.KeyValue)) error {
	db, err := bolt.Open(path, 0o400, &bolt.Options{ReadOnly: true, Timeout: 5 * time.Second})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(tx *bolt.Tx) error {
		bucket := tx.Bucket(schema.Key.Name())
		if bucket == nil {
			return errors.New("no keys in it: not etcd's")
		}
		return bucket.ForEach(func(revision, value []byte) error {
			pair := new(mvccpb.KeyValue)
			if err := proto.Unmarshal(value, pair); err != nil {
				return err
			}
			switch {
			case len(pair.GetKey()) == 0: // what a restore writes to raise the revision
			case mvcc.IsTombstone(revision):
				visit(string(pair.GetKey()), nil)
			default:
				visit(string(pair.GetKey()), pair)
			}
			return nil
		})
	})
}

// importFile makes the data folder of a cluster of one and puts every key of an export in it, at revisions above `above`:
// no client is ever given a revision that it has seen for something else.
func importFile(flags *flag.FlagSet, arguments []string) (any, error) {
	var m member
	m.flags(flags)
	above := flags.Uint64("above", 0, "last revision of where the keys come from, `n`")
	rest, err := operands(flags, arguments, 2)
	if err != nil {
		return nil, err
	}
	source, folder := rest[0], rest[1]
	file, err := os.Open(source)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := m.empty(folder, *above+1); err != nil {
		return nil, err
	}
	found, err := m.fill(folder, file)
	if err != nil {
		return nil, fmt.Errorf("import `%s`: %w", source, err)
	}
	return found, persist(folder)
}

// empty makes a data folder without keys, whose next revision is above `revision`.
func (m *member) empty(folder string, revision uint64) error {
	draft, err := os.MkdirTemp(filepath.Dir(folder), ".empty-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(draft)
	path := filepath.Join(draft, "db")
	store := backend.NewDefaultBackend(zap.NewNop(), path)
	keys := mvcc.NewStore(zap.NewNop(), store, &lease.FakeLessor{}, mvcc.StoreConfig{})
	if err := errors.Join(keys.Close(), store.Close()); err != nil {
		return err
	}
	return m.make(path, folder, revision, true)
}

// fill runs a server on a data folder, without a port, and puts keys into it.
func (m *member) fill(folder string, source io.Reader) (summary, error) {
	server, err := m.serve(folder)
	if err != nil {
		return summary{}, err
	}
	client := v3client.New(server.Server)
	err = put(client, source)
	var found summary
	if err == nil {
		var answer *clientv3.GetResponse
		answer, err = client.Get(context.Background(), "", clientv3.WithFromKey(), clientv3.WithCountOnly())
		if err == nil {
			found = summary{Revision: answer.Header.Revision, Keys: answer.Count}
		}
	}
	client.Close()
	server.Close()
	return found, err
}

func (m *member) serve(folder string) (*embed.Etcd, error) {
	config := embed.NewConfig()
	config.Dir, config.Name = folder, m.name
	socket := func(name string) []url.URL {
		return []url.URL{{Scheme: "unix", Path: filepath.Join(folder, name)}}
	}
	config.ListenClientUrls, config.AdvertiseClientUrls = socket("client.sock"), socket("client.sock")
	config.ListenPeerUrls = socket("peer.sock")
	peer, err := url.Parse(m.peerURL)
	if err != nil {
		return nil, err
	}
	config.AdvertisePeerUrls = []url.URL{*peer}
	config.InitialCluster, config.InitialClusterToken = m.cluster(), m.token
	config.LogLevel, config.LogOutputs = "fatal", []string{"stderr"}
	config.QuotaBackendBytes = math.MaxInt64
	config.MaxRequestBytes = 64 << 20
	// Everything is made to last at the end, at once.
	config.UnsafeNoFsync = true
	server, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-server.Server.ReadyNotify():
		return server, nil
	case err := <-server.Err():
		server.Close()
		return nil, err
	case <-time.After(time.Minute):
		server.Close()
		return nil, errors.New("etcd did not become ready within a minute")
	}
}

func put(client *clientv3.Client, source io.Reader) error {
	ctx := context.Background()
	leases := map[int64]clientv3.LeaseID{}
	lines := bufio.NewScanner(source)
	lines.Buffer(nil, 256<<20)
	for number := 1; lines.Scan(); number++ {
		key, value, ttl, err := parse(lines.Bytes())
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		var options []clientv3.OpOption
		if ttl > 0 {
			if _, there := leases[ttl]; !there {
				granted, err := client.Grant(ctx, ttl)
				if err != nil {
					return err
				}
				leases[ttl] = granted.ID
			}
			options = append(options, clientv3.WithLease(leases[ttl]))
		}
		if _, err := client.Put(ctx, key, value, options...); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	return lines.Err()
}

func parse(line []byte) (key, value string, ttl int64, err error) {
	fields := bytes.Split(line, []byte(" "))
	if len(fields) != 3 {
		return "", "", 0, errors.New("not `KEY VALUE TTL`")
	}
	decode := base64.StdEncoding.DecodeString
	k, badKey := decode(string(fields[0]))
	v, badValue := decode(string(fields[1]))
	ttl, badTTL := strconv.ParseInt(string(fields[2]), 10, 64)
	return string(k), string(v), ttl, errors.Join(badKey, badValue, badTTL)
}

// persist makes a folder and all in it last a power loss.
func persist(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !(entry.IsDir() || entry.Type().IsRegular()) {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		return file.Sync()
	})
}
