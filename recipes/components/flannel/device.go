package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/flannel-io/flannel/pkg/subnet"
	"github.com/vishvananda/netlink"
)

// How often the devices are looked at.
const lookPeriod = 5 * time.Second

// interfaceWith finds the interface that has all the addresses.
func interfaceWith(wanted []netip.Addr) (*net.Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	for _, iface := range all {
		addresses, err := iface.Addrs()
		if err != nil {
			continue
		}
		has := make(map[netip.Addr]bool)
		for _, address := range addresses {
			if prefix, err := netip.ParsePrefix(address.String()); err == nil {
				has[prefix.Addr()] = true
			}
		}
		missing := false
		for _, address := range wanted {
			missing = missing || !has[address]
		}
		if !missing {
			return &iface, nil
		}
	}
	return nil, fmt.Errorf("no interface has %v", wanted)
}

// settle gives the backend's devices the wanted MTU, which a device of an earlier life keeps as it was, and says which
// they are: index by name.
func settle(config *subnet.Config, mtu int) (map[string]int, error) {
	devices := make(map[string]int)
	for _, name := range deviceNames(config) {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", name, err)
		}
		if link.Attrs().MTU != mtu {
			if err := netlink.LinkSetMTU(link, mtu); err != nil {
				return nil, fmt.Errorf("set MTU of %s: %w", name, err)
			}
		}
		devices[name] = link.Attrs().Index
	}
	return devices, nil
}

func deviceNames(config *subnet.Config) []string {
	if config.BackendType != "vxlan" {
		return nil
	}
	// The backend has read the same text without an error.
	settings := struct{ VNI int }{VNI: 1}
	_ = json.Unmarshal(config.Backend, &settings)
	names := []string{fmt.Sprintf("flannel.%d", settings.VNI)}
	if config.EnableIPv6 {
		names = append(names, fmt.Sprintf("flannel-v6.%d", settings.VNI))
	}
	return names
}

// guard ends the process when what it was started with no longer holds: it is started again, with everything looked up
// and set up anew. The backend by itself would bring back a deleted device, but neither its routes nor its neighbours.
func guard(ctx context.Context, fail context.CancelCauseFunc, manager *manager, devices map[string]int) {
	ticker := time.NewTicker(lookPeriod)
	defer ticker.Stop()
	before := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for name, index := range devices {
			if link, err := net.InterfaceByName(name); err != nil || link.Index != index {
				fail(fmt.Errorf("%s was deleted", name))
				return
			}
		}
		// What we wrote ourselves may take a while to come back.
		now := manager.lost()
		if now != "" && now == before {
			fail(fmt.Errorf("node %s: %s", manager.node, now))
			return
		}
		before = now
	}
}
