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

// An outer IPv6 header is longer than an IPv4 one by so many bytes, which flannel does not take off its IPv6 device's MTU.
const longerHeader = 20

// device is a network device of the backend's.
type device struct {
	name string
	mtu  int
}

// devices are those that the backend has made, with the MTU that each is to have.
func devices(config *subnet.Config, mtu int) []device {
	if config.BackendType != "vxlan" {
		return nil
	}
	// The backend has read the same text without an error.
	settings := struct{ VNI int }{VNI: 1}
	_ = json.Unmarshal(config.Backend, &settings)
	made := []device{{fmt.Sprintf("flannel.%d", settings.VNI), mtu}}
	if config.EnableIPv6 {
		made = append(made, device{fmt.Sprintf("flannel-v6.%d", settings.VNI), mtu - longerHeader})
	}
	return made
}

// settle sets the MTU of devices, as one of an earlier life keeps the one it had, and returns the index of each by name.
func settle(made []device) (map[string]int, error) {
	indexes := make(map[string]int)
	for _, device := range made {
		link, err := netlink.LinkByName(device.name)
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", device.name, err)
		}
		if link.Attrs().MTU != device.mtu {
			if err := netlink.LinkSetMTU(link, device.mtu); err != nil {
				return nil, fmt.Errorf("set MTU of %s to %d: %w", device.name, device.mtu, err)
			}
		}
		indexes[device.name] = link.Attrs().Index
	}
	return indexes, nil
}

// guard ends the process when what it was started with no longer holds: it is started again, with everything looked up
// and set up anew. The backend by itself would bring back a deleted device, but neither its routes nor its neighbours.
func guard(ctx context.Context, fail context.CancelCauseFunc, manager *manager, indexes map[string]int) {
	ticker := time.NewTicker(lookPeriod)
	defer ticker.Stop()
	before := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for name, index := range indexes {
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
