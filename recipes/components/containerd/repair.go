package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// verifyWord makes this program look at one database and nothing else.
const verifyWord = "verify-database"

// began is the mark, in the folder that does not outlive the machine's run, of a server that was started.
const began = "began"

// patience is how long looking at a database may take.
const patience = time.Minute

// repair looks after the databases in the folder `root` if a server that began before did not stay, as one does that finds
// them damaged. What lies there can be had again, images from archives and registries and containers from the kubelet, but
// not under containers that run, whose shims have folders in `state`.
func repair(root, state string, damaged func(file string) error) error {
	mark := filepath.Join(state, began)
	if _, err := os.Stat(mark); err != nil {
		if err := os.MkdirAll(state, 0o711); err != nil {
			return err
		}
		return os.WriteFile(mark, nil, 0o600)
	}
	databases, err := filepath.Glob(filepath.Join(root, "*", "*.db"))
	if err != nil {
		return err
	}
	var bad []string
	for _, file := range databases {
		if err := damaged(file); err != nil {
			fmt.Fprintf(os.Stderr, "containerd: `%s` is damaged: %v\n", file, err)
			bad = append(bad, file)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	running, err := filepath.Glob(filepath.Join(state, "io.containerd.runtime.v2.task", "*", "*"))
	if err != nil {
		return err
	}
	if len(running) > 0 {
		return fmt.Errorf("`%s` is damaged and %d containers run; restart the machine, and it is made anew", bad[0], len(running))
	}
	if err := empty(root, bad); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "containerd: `%s` begins anew: images are imported or pulled again\n", root)
	return nil
}

// empty clears `root`, what is damaged last: who is interrupted finds it damaged again.
func empty(root string, last []string) error {
	keep := map[string]bool{}
	for _, file := range last {
		keep[file] = true
		keep[filepath.Dir(file)] = true
	}
	files, err := filepath.Glob(filepath.Join(root, "*"))
	if err != nil {
		return err
	}
	beside, err := filepath.Glob(filepath.Join(root, "*", "*"))
	if err != nil {
		return err
	}
	for _, file := range append(beside, files...) {
		if keep[file] {
			continue
		}
		if err := os.RemoveAll(file); err != nil {
			return err
		}
	}
	for _, file := range last {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

// damaged says what is wrong with a database. It is looked at by another process, as that may end by what it finds.
func damaged(file string) error {
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	command := exec.Command(program, verifyWord, file)
	said := &strings.Builder{}
	command.Stderr = said
	if err := command.Start(); err != nil {
		return nil
	}
	timer := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
	defer timer.Stop()
	var exit *exec.ExitError
	// One that was killed, for want of memory or time, says nothing about the database.
	if err := command.Wait(); !errors.As(err, &exit) || !exit.Exited() {
		return nil
	}
	first, _, _ := strings.Cut(said.String(), "\n")
	return fmt.Errorf("%s (%s)", first, exit)
}

// verify reads the whole of a database that nobody writes to.
func verify(file string) error {
	info, err := os.Stat(file)
	if err != nil || info.Size() == 0 {
		// An empty file is a database that begins.
		return nil
	}
	database, err := bolt.Open(file, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if errors.Is(err, bolt.ErrTimeout) {
		return nil
	}
	if err != nil {
		return err
	}
	defer database.Close()
	return database.View(func(tx *bolt.Tx) error {
		var first error
		for err := range tx.Check() {
			if first == nil {
				first = err
			}
		}
		return first
	})
}
