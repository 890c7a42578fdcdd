package main

import (
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/flannel-io/flannel/pkg/ip"
	"github.com/flannel-io/flannel/pkg/lease"
	"github.com/flannel-io/flannel/pkg/subnet"
	"k8s.io/klog/v2"
)

// The annotations by which nodes tell each other how they are reached: flannel's own.
const (
	prefix        = "flannel.alpha.coreos.com/"
	isManaged     = prefix + "kube-subnet-manager"
	backendType   = prefix + "backend-type"
	backendData   = prefix + "backend-data"
	backendV6Data = prefix + "backend-v6-data"
	publicIP      = prefix + "public-ip"
	publicIPv6    = prefix + "public-ipv6"
)

// record is what a node object says of the pod network, as text that can be compared.
type record struct {
	subnet, subnetV6 string
	notes            notes
}

// notes are the annotations of a record.
type notes struct{ managed, kind, data, dataV6, address, addressV6 string }

func recordOf(node node) record {
	subnets := node.Spec.PodCIDRs
	if len(subnets) == 0 {
		subnets = []string{node.Spec.PodCIDR}
	}
	var r record
	for _, text := range subnets {
		network, err := netip.ParsePrefix(text)
		switch {
		case err != nil:
		case network.Addr().Is4():
			r.subnet = network.Masked().String()
		default:
			r.subnetV6 = network.Masked().String()
		}
	}
	said := node.Metadata.Annotations
	r.notes = notes{
		said[isManaged], said[backendType], said[backendData], said[backendV6Data], said[publicIP], said[publicIPv6],
	}
	return r
}

// notesOf is what a backend's attributes are as annotations. A backend without data writes null, as flannel does.
func notesOf(attributes *lease.LeaseAttrs) notes {
	text := func(data json.RawMessage) string {
		if data == nil {
			return "null"
		}
		return string(data)
	}
	said := notes{
		managed: "true",
		kind:    attributes.BackendType,
		data:    text(attributes.BackendData),
		address: attributes.PublicIP.String(),
	}
	if attributes.PublicIPv6 != nil {
		said.dataV6, said.addressV6 = text(attributes.BackendV6Data), attributes.PublicIPv6.String()
	}
	return said
}

// annotations are the notes by key; what is not said is removed.
func (n notes) annotations() map[string]*string {
	all := map[string]string{
		isManaged: n.managed, backendType: n.kind, backendData: n.data, backendV6Data: n.dataV6,
		publicIP: n.address, publicIPv6: n.addressV6,
	}
	annotations := make(map[string]*string, len(all))
	for key, value := range all {
		annotations[key] = nil
		if value != "" {
			annotations[key] = &value
		}
	}
	return annotations
}

// lease is a node's part of the network. It fails for a node that does not take part, or not yet.
func (r record) lease(config *subnet.Config) (lease.Lease, error) {
	var l lease.Lease
	if r.notes.managed != "true" {
		return l, fmt.Errorf("says nothing of the pod network")
	}
	address, err := ip.ParseIP4(r.notes.address)
	if err != nil {
		return l, fmt.Errorf("address: %w", err)
	}
	l.Attrs.BackendType, l.Attrs.PublicIP = r.notes.kind, address
	l.Attrs.BackendData = json.RawMessage(r.notes.data)
	if l.Subnet, err = part(config, r.subnet); err != nil {
		return l, err
	}
	l.EnableIPv4 = true
	if !config.EnableIPv6 {
		return l, nil
	}
	if l.Attrs.PublicIPv6, err = ip.ParseIP6(r.notes.addressV6); err != nil {
		return l, fmt.Errorf("IPv6 address: %w", err)
	}
	l.Attrs.BackendV6Data = json.RawMessage(r.notes.dataV6)
	if l.IPv6Subnet, err = partV6(config, r.subnetV6); err != nil {
		return l, err
	}
	l.EnableIPv6 = true
	return l, nil
}

// part is a subnet, which must be within the pod network.
func part(config *subnet.Config, text string) (ip.IP4Net, error) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return ip.IP4Net{}, fmt.Errorf("pod subnet: %w", err)
	}
	found := ip.IP4Net{IP: ip.FromBytes(network.Addr().AsSlice()), PrefixLen: uint(network.Bits())}
	if found.PrefixLen < config.Network.PrefixLen || !config.Network.Contains(found.IP) {
		return found, fmt.Errorf("pod subnet %s is not within %s", found, config.Network)
	}
	return found, nil
}

func partV6(config *subnet.Config, text string) (ip.IP6Net, error) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return ip.IP6Net{}, fmt.Errorf("IPv6 pod subnet: %w", err)
	}
	found := ip.IP6Net{IP: ip.FromIP6(network.Addr().AsSlice()), PrefixLen: uint(network.Bits())}
	if found.PrefixLen < config.IPv6Network.PrefixLen || !config.IPv6Network.Contains(found.IP) {
		return found, fmt.Errorf("pod subnet %s is not within %s", found, config.IPv6Network)
	}
	return found, nil
}

// difference is what must happen for the nodes of before to become those of after. Removals come first, so that a subnet
// may go from one node to another.
func difference(config *subnet.Config, before, after map[string]record) []lease.Event {
	var removed, added []lease.Event
	for name, old := range before {
		was, err := old.lease(config)
		if err != nil || old == after[name] {
			continue
		}
		is, err := after[name].lease(config)
		if err != nil || !replaces(is, was) {
			removed = append(removed, lease.Event{Type: lease.EventRemoved, Lease: was})
		}
	}
	for name, now := range after {
		if old, known := before[name]; known && old == now {
			continue
		}
		is, err := now.lease(config)
		if err != nil {
			klog.V(1).InfoS("node takes no part", "node", name, "because", err)
			continue
		}
		added = append(added, lease.Event{Type: lease.EventAdded, Lease: is})
	}
	return append(removed, added...)
}

// replaces tells whether a backend that adds one lease thereby does away with the other.
func replaces(is, was lease.Lease) bool {
	return is.Attrs.BackendType == was.Attrs.BackendType && is.Subnet.Equal(was.Subnet) &&
		is.EnableIPv6 == was.EnableIPv6 && (!is.EnableIPv6 || is.IPv6Subnet.Equal(was.IPv6Subnet))
}
