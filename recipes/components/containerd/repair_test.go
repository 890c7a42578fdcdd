package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// made is a database of a few hundred keys, large enough to have inner pages.
func made(t *testing.T, file string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	database, err := bolt.Open(file, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	err = database.Update(func(tx *bolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte("images"))
		if err != nil {
			return err
		}
		for index := range 500 {
			if err := bucket.Put([]byte{byte(index >> 8), byte(index)}, make([]byte, 100)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func there(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func TestWholeAndNewDatabasesAreSound(t *testing.T) {
	file := filepath.Join(t.TempDir(), "meta.db")
	if err := verify(file); err != nil {
		t.Fatal(err)
	}
	made(t, file)
	if err := verify(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 0); err != nil {
		t.Fatal(err)
	}
	if err := verify(file); err != nil {
		t.Fatal(err)
	}
}

func TestOverwrittenHeadsAndCutFilesAreDamage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "meta.db")
	for _, change := range []func() error{
		func() error { return os.Truncate(file, 5000) },
		func() error { return os.WriteFile(file, []byte("not what it was"), 0o600) },
	} {
		made(t, file)
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if verify(file) == nil {
			t.Fatal("taken for sound")
		}
		os.Remove(file)
	}
}

func TestOnlyAServerThatDidNotStayIsLookedAfter(t *testing.T) {
	root, state := t.TempDir(), filepath.Join(t.TempDir(), "state")
	write(t, filepath.Join(root, "meta", "meta.db"))
	asked := 0
	look := func(string) error { asked++; return nil }
	for start := range 3 {
		if err := repair(root, state, look); err != nil || asked != start {
			t.Fatal(err, asked)
		}
	}
}

func TestWhatIsDamagedGoesWithAllThatItKnewOf(t *testing.T) {
	root, state := t.TempDir(), t.TempDir()
	write(t, filepath.Join(state, began))
	bad := filepath.Join(root, "meta", "meta.db")
	for _, file := range []string{bad, filepath.Join(root, "overlay", "metadata.db"), filepath.Join(root, "overlay", "snapshots", "1")} {
		write(t, file)
	}
	look := func(file string) error {
		if file == bad {
			return errors.New("no database")
		}
		return nil
	}
	shim := filepath.Join(state, "io.containerd.runtime.v2.task", "k8s.io", "pod")
	write(t, filepath.Join(shim, "address"))
	if repair(root, state, look) == nil || !there(bad) {
		t.Fatal("taken from under containers that run")
	}
	if err := os.RemoveAll(shim); err != nil {
		t.Fatal(err)
	}
	if err := repair(root, state, look); err != nil {
		t.Fatal(err)
	}
	if there(bad) || there(filepath.Join(root, "overlay")) {
		t.Fatal("something stayed")
	}
}

func TestWhatIsDamagedGoesLast(t *testing.T) {
	root := t.TempDir()
	bad := filepath.Join(root, "meta", "meta.db")
	write(t, bad)
	write(t, filepath.Join(root, "overlay", "1", "file"))
	if err := empty(root, []string{bad, filepath.Join(root, "gone", "meta.db")}); err == nil {
		t.Fatal("an interruption")
	}
	if there(filepath.Join(root, "overlay")) {
		t.Fatal("the rest goes first")
	}
}
