package main

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

const (
	firstPause = 500 * time.Millisecond
	lastPause  = 30 * time.Second
)

// mirror keeps what the API says of all nodes.
type mirror struct {
	client  *client
	mutex   sync.Mutex
	records map[string]record
	changed chan struct{}
}

func newMirror(client *client) *mirror {
	return &mirror{client: client, records: make(map[string]record), changed: make(chan struct{})}
}

// state returns what is known, and a channel that is closed when something else is.
func (m *mirror) state() (map[string]record, <-chan struct{}) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.records, m.changed
}

// put replaces what is known. Nobody changes a map that was given out.
func (m *mirror) put(records map[string]record) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if maps.Equal(records, m.records) {
		return
	}
	m.records = records
	close(m.changed)
	m.changed = make(chan struct{})
}

// run keeps the mirror up to date, through all failures, until the context ends.
func (m *mirror) run(ctx context.Context) {
	for pause := firstPause; ctx.Err() == nil; {
		err := m.follow(ctx, func() { pause = firstPause })
		if ctx.Err() != nil || errors.Is(err, errGone) {
			continue
		}
		klog.ErrorS(err, "nodes not followed", "again", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause = min(2*pause, lastPause)
	}
}

// follow lists all nodes and then watches them until something fails.
func (m *mirror) follow(ctx context.Context, listed func()) error {
	nodes, version, err := m.client.list(ctx)
	if err != nil {
		return err
	}
	listed()
	records := make(map[string]record, len(nodes))
	for _, node := range nodes {
		records[node.Metadata.Name] = recordOf(node)
	}
	m.put(records)
	for err == nil {
		version, err = m.client.watch(ctx, version, m.take)
	}
	return err
}

func (m *mirror) take(kind string, node node) {
	known, _ := m.state()
	records := maps.Clone(known)
	if kind == "DELETED" {
		delete(records, node.Metadata.Name)
	} else {
		records[node.Metadata.Name] = recordOf(node)
	}
	m.put(records)
}
