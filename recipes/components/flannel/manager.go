package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flannel-io/flannel/pkg/ip"
	"github.com/flannel-io/flannel/pkg/lease"
	"github.com/flannel-io/flannel/pkg/subnet"
	"k8s.io/klog/v2"
)

// manager gives flannel's backends their subnets: kube-controller-manager hands them out in node objects, and nodes tell
// each other in annotations how they are reached.
type manager struct {
	node   string
	config *subnet.Config
	client *client
	mirror *mirror
	// What our own node object is to say.
	own atomic.Pointer[record]
}

var _ subnet.Manager = (*manager)(nil)

var errNotMeant = errors.New("not meant for nodes of an API")

func (m *manager) Name() string { return "node objects" }

func (m *manager) GetNetworkConfig(context.Context) (*subnet.Config, error) { return m.config, nil }

func (m *manager) HandleSubnetFile(
	path string, config *subnet.Config, masquerade bool, v4 ip.IP4Net, v6 ip.IP6Net, mtu int,
) error {
	return subnet.WriteSubnetFile(path, config, masquerade, v4, v6, mtu)
}

// await waits until our node has its subnets.
func (m *manager) await(ctx context.Context) (record, error) {
	for told := false; ; told = true {
		records, changed := m.mirror.state()
		own := records[m.node]
		if own.subnet != "" && (own.subnetV6 != "" || !m.config.EnableIPv6) {
			return own, nil
		}
		if !told {
			klog.InfoS("waiting for the node's pod subnet", "node", m.node)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return own, ctx.Err()
		}
	}
}

// AcquireLease says in our node object how we are reached, until the API takes it.
func (m *manager) AcquireLease(ctx context.Context, attributes *lease.LeaseAttrs) (*lease.Lease, error) {
	own, err := m.await(ctx)
	if err != nil {
		return nil, err
	}
	wanted := own
	wanted.notes = notesOf(attributes)
	granted, err := wanted.lease(m.config)
	if err != nil {
		return nil, err
	}
	for pause := firstPause; own != wanted; pause = min(2*pause, lastPause) {
		err := m.client.annotate(ctx, m.node, wanted.notes.annotations())
		if err == nil {
			break
		}
		klog.ErrorS(err, "node not annotated", "again", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	m.own.Store(&wanted)
	granted.Expiration = time.Now().Add(24 * time.Hour)
	return &granted, nil
}

// lost says what our node object has lost of what it is to say, empty if nothing. One that is gone lost nothing: nobody
// can be told, and whoever made the node go away had a reason.
func (m *manager) lost() string {
	records, _ := m.mirror.state()
	own, there := records[m.node]
	wanted := m.own.Load()
	switch {
	case !there || wanted == nil || own == *wanted:
		return ""
	case own.subnet != wanted.subnet || m.config.EnableIPv6 && own.subnetV6 != wanted.subnetV6:
		return "its pod subnet is another one now"
	case own.notes != wanted.notes:
		return "its annotations are not ours any more"
	}
	return ""
}

// WatchLeases tells of the other nodes, first of all that there are, then of each change.
func (m *manager) WatchLeases(ctx context.Context, receiver chan []lease.LeaseWatchResult) error {
	defer close(receiver)
	told := make(map[string]record)
	for {
		records, changed := m.mirror.state()
		others := maps.Clone(records)
		delete(others, m.node)
		if events := difference(m.config, told, others); len(events) > 0 {
			select {
			case receiver <- []lease.LeaseWatchResult{{Events: events}}:
			case <-ctx.Done():
				return nil
			}
		}
		told = others
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// GetStoredMacAddresses returns the hardware addresses of our devices of an earlier life: other nodes know them still.
func (m *manager) GetStoredMacAddresses(ctx context.Context) (string, string) {
	own, err := m.await(ctx)
	if err != nil {
		return "", ""
	}
	address := func(data string) string {
		var said struct{ VtepMAC string }
		if err := json.Unmarshal([]byte(data), &said); err != nil {
			return ""
		}
		return said.VtepMAC
	}
	return address(own.notes.data), address(own.notes.dataV6)
}

func (m *manager) GetStoredPublicIP(context.Context) (string, string) { return "", "" }

func (m *manager) RenewLease(context.Context, *lease.Lease) error { return errNotMeant }

func (m *manager) WatchLease(context.Context, ip.IP4Net, ip.IP6Net, chan []lease.LeaseWatchResult) error {
	return errNotMeant
}

func (m *manager) CompleteLease(context.Context, *lease.Lease, *sync.WaitGroup) error { return nil }
