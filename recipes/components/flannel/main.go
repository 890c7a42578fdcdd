// Flannel as a process of the node: its VXLAN and host-gw backends over node objects of the Kubernetes API. Upstream's own
// main brings every backend, among them a cloud's kit that cannot be had, and its subnet manager the whole of client-go;
// here the few requests it takes are made with what Go has.
//
// It touches no packet filter: masquerading is done elsewhere. When it ends, interface, routes and neighbours stay, so that
// pods talk on while it restarts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/flannel-io/flannel/pkg/backend"
	_ "github.com/flannel-io/flannel/pkg/backend/hostgw"
	_ "github.com/flannel-io/flannel/pkg/backend/vxlan"
	"github.com/flannel-io/flannel/pkg/subnet"
	"github.com/flannel-io/flannel/pkg/version"
	"k8s.io/klog/v2"
)

type options struct {
	kubeconfig string
	node       string
	addresses  string
	config     string
	subnetFile string
	healthz    string
}

func main() {
	options := parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, options); err != nil && ctx.Err() == nil {
		klog.ErrorS(err, "flannel ends")
		klog.Flush()
		os.Exit(1)
	}
}

func parse() options {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "`file` that says how to reach the API; the node's own suffices")
	flag.StringVar(&o.node, "node-name", "", "`name` of this node's object")
	flag.StringVar(&o.addresses, "iface-address", "", "`IP` of the interface towards other nodes; IP,IP6 with two families")
	flag.StringVar(&o.config, "net-config", "", "`file` with the network: JSON with Network and Backend")
	flag.StringVar(&o.subnetFile, "subnet-file", "", "`file` that gets this node's subnet and MTU")
	flag.StringVar(&o.healthz, "healthz-address", "", "`address` of /healthz, which says 200 once the backend is up")
	print := flag.Bool("version", false, "print the version")
	flag.Parse()
	if *print {
		fmt.Println("flannel", version.Version)
		os.Exit(0)
	}
	for _, value := range []string{o.kubeconfig, o.node, o.addresses, o.config, o.subnetFile, o.healthz} {
		if value == "" || flag.NArg() != 0 {
			flag.Usage()
			os.Exit(2)
		}
	}
	return o
}

func run(ctx context.Context, o options) error {
	config, err := readConfig(o.config)
	if err != nil {
		return err
	}
	external, err := external(o.addresses, config)
	if err != nil {
		return err
	}
	client, err := newClient(o.kubeconfig)
	if err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	health, err := serveHealth(ctx, o.healthz)
	if err != nil {
		return err
	}
	mirror := newMirror(client)
	go mirror.run(ctx)
	manager := &manager{node: o.node, config: config, client: client, mirror: mirror}
	network, err := register(ctx, manager, external)
	if err != nil {
		return err
	}
	mtu, made := network.MTU(), devices(config, network.MTU())
	indexes, err := settle(made)
	if err != nil {
		return err
	}
	for _, device := range made {
		mtu = min(mtu, device.mtu)
	}
	own := network.Lease()
	if err := manager.HandleSubnetFile(o.subnetFile, config, false, own.Subnet, own.IPv6Subnet, mtu); err != nil {
		return fmt.Errorf("write subnet file: %w", err)
	}
	go guard(ctx, fail, manager, indexes)
	klog.InfoS("backend is up", "type", config.BackendType, "subnet", own.Subnet, "mtu", mtu)
	health.up()
	network.Run(ctx)
	return context.Cause(ctx)
}

func readConfig(path string) (*subnet.Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read network configuration: %w", err)
	}
	config, err := subnet.ParseConfig(string(text))
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	if !config.EnableIPv4 {
		return nil, fmt.Errorf("%s: a network without IPv4 is not supported", path)
	}
	if err := subnet.CheckNetworkConfig(config); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}

// external is the interface that has the first address; of two, the other must be on it too.
func external(text string, config *subnet.Config) (*backend.ExternalInterface, error) {
	var wanted []netip.Addr
	for _, part := range strings.Split(text, ",") {
		address, err := netip.ParseAddr(part)
		if err != nil {
			return nil, fmt.Errorf("interface address: %w", err)
		}
		wanted = append(wanted, address)
	}
	iface, err := interfaceWith(wanted)
	if err != nil {
		return nil, err
	}
	found := &backend.ExternalInterface{Iface: iface, IfaceName: iface.Name}
	for _, address := range wanted {
		if address.Is4() {
			found.IfaceAddr, found.ExtAddr = address.AsSlice(), address.AsSlice()
		} else {
			found.IfaceV6Addr, found.ExtV6Addr = address.AsSlice(), address.AsSlice()
		}
	}
	if found.ExtAddr == nil || (found.ExtV6Addr != nil) != config.EnableIPv6 {
		return nil, errors.New("interface addresses and network are not of the same families")
	}
	klog.InfoS("interface towards other nodes", "name", iface.Name, "addresses", text)
	return found, nil
}

func register(ctx context.Context, manager *manager, external *backend.ExternalInterface) (backend.Network, error) {
	chosen, err := backend.NewManager(ctx, manager, external).GetBackend(manager.config.BackendType)
	if err != nil {
		return nil, err
	}
	var workers sync.WaitGroup
	network, err := chosen.RegisterNetwork(ctx, &workers, manager.config)
	if err != nil {
		return nil, fmt.Errorf("start backend: %w", err)
	}
	return network, nil
}
