// Kine with the databases that a cluster may use: SQLite in a file, PostgreSQL and MySQL over the network. Upstream's own
// main also carries a NATS and an object-store server, which cost every node memory. Flags and defaults are upstream's;
// what a backup needs of SQLite is here too, as the driver is (`tools.go`), and a look at a source before it is used.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"net"
	"os"
	"sync"
	"time"

	_ "components.skerry.dev/pace"
	"github.com/k3s-io/kine/pkg/drivers"
	_ "github.com/k3s-io/kine/pkg/drivers/mysql"
	_ "github.com/k3s-io/kine/pkg/drivers/pgsql"
	_ "github.com/k3s-io/kine/pkg/drivers/sqlite"
	"github.com/k3s-io/kine/pkg/metrics"
	"github.com/k3s-io/kine/pkg/server"
	"github.com/k3s-io/kine/pkg/signals"
	"github.com/k3s-io/kine/pkg/util"
	"github.com/k3s-io/kine/pkg/version"
	"github.com/sirupsen/logrus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

type options struct {
	backend  drivers.Config
	listen   string
	metrics  metrics.Config
	notify   time.Duration
	emulated string
}

func main() {
	if len(os.Args) > 1 {
		if tool, ok := tools[os.Args[1]]; ok {
			os.Exit(use(os.Args[1], tool, os.Args[2:]))
		}
	}
	options := parse()
	logrus.SetFormatter(&logrus.TextFormatter{DisableColors: true, FullTimestamp: true, TimestampFormat: time.RFC3339Nano})
	// A wrong source ends at once with its reason; by itself kine would try for five minutes, some of its reasons with the
	// password in them.
	if err := check(options.backend.Endpoint); err != nil {
		logrus.Fatal(err)
	}
	if err := run(signals.SetupSignalContext(), options); err != nil && !errors.Is(err, context.Canceled) {
		logrus.Fatal(redact(err, options.backend.Endpoint))
	}
}

func parse() options {
	var o options
	b := &o.backend
	flag.StringVar(&o.listen, "listen-address", "unix://kine.sock", "`address` for etcd clients: unix://path or tcp://host:port")
	flag.StringVar(&b.Endpoint, "endpoint", "", "`database`: sqlite://path, postgres://..., mysql://... (default $KINE_ENDPOINT, else sqlite in ./db)")
	flag.StringVar(&b.BackendTLSConfig.CAFile, "ca-file", "", "CA `certificate` of the database")
	flag.StringVar(&b.BackendTLSConfig.CertFile, "cert-file", "", "client `certificate` for the database")
	flag.StringVar(&b.BackendTLSConfig.KeyFile, "key-file", "", "client `key` for the database")
	flag.BoolVar(&b.BackendTLSConfig.SkipVerify, "skip-verify", false, "do not verify the database's certificate")
	flag.IntVar(&b.ConnectionPoolConfig.MaxIdle, "datastore-max-idle-connections", 20, "idle connections kept, `n`")
	flag.IntVar(&b.ConnectionPoolConfig.MaxOpen, "datastore-max-open-connections", 0, "open connections, `n`; 0 for no limit")
	flag.DurationVar(&b.ConnectionPoolConfig.MaxLifetime, "datastore-connection-max-lifetime", 0, "age of a connection")
	flag.DurationVar(&b.ConnectionPoolConfig.MaxIdleTime, "datastore-connection-max-idle-time", 2*time.Minute, "idle time of a connection")
	flag.DurationVar(&b.CompactInterval, "compact-interval", 0, "time between compactions; 0 leaves them to kube-apiserver")
	flag.IntVar(&b.CompactIntervalJitter, "compact-interval-jitter", 0, "jitter of that time in `percent`")
	flag.DurationVar(&b.CompactTimeout, "compact-timeout", 5*time.Second, "time a compaction may take")
	flag.Int64Var(&b.CompactMinRetain, "compact-min-retain", 1000, "revisions kept, `n`")
	flag.Int64Var(&b.CompactBatchSize, "compact-batch-size", 1000, "revisions compacted at once, `n`")
	flag.Int64Var(&b.PollBatchSize, "poll-batch-size", 500, "revisions polled at once, `n`")
	flag.DurationVar(&metrics.SlowSQLThreshold, "slow-sql-threshold", time.Second, "time from which SQL is logged")
	flag.DurationVar(&metrics.SlowSQLWarningThreshold, "slow-sql-warning-threshold", 5*time.Second, "time from which SQL is a warning")
	flag.StringVar(&o.metrics.ServerAddress, "metrics-bind-address", ":8080", "`address` of the metrics; 0 for none")
	flag.BoolVar(&o.metrics.EnableProfiling, "metrics-enable-profiling", false, "profiles at the address of the metrics")
	flag.DurationVar(&o.notify, "watch-progress-notify-interval", 5*time.Second, "time between progress notifications")
	flag.StringVar(&o.emulated, "emulated-etcd-version", "3.6.11", "etcd `version` told to clients")
	print := flag.Bool("version", false, "print the version")
	flag.Parse()
	if b.Endpoint == "" {
		// What holds a password is not for everyone who may list processes.
		b.Endpoint = os.Getenv(endpointVariable)
	}
	if *print {
		fmt.Println("kine version", version.Version)
		os.Exit(0)
	}
	if flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	return o
}

// run does what pkg/endpoint does, which cannot be used as it imports every driver.
func run(ctx context.Context, o options) error {
	metrics.RegisterCoreCollectors()
	metrics.Registry.MustRegister(metrics.SQLTotal, metrics.SQLTime, metrics.CompactTotal, metrics.InsertErrorsTotal)
	o.backend.MetricsRegisterer = metrics.Registry

	// The database outlives the server, so that requests under way can end.
	var databases sync.WaitGroup
	inner, cancel := context.WithCancel(context.Background())
	defer databases.Wait()
	defer cancel()
	_, backend, err := drivers.New(inner, &databases, &o.backend)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if err := backend.Start(inner); err != nil {
		return fmt.Errorf("start backend: %w", err)
	}
	scheme, listener, err := listen(ctx, o.listen)
	if err != nil {
		return err
	}
	serving := newServer()
	server.New(backend, scheme, o.notify, o.emulated).Register(serving)
	go metrics.Serve(ctx, o.metrics)
	go func() {
		<-ctx.Done()
		defer time.AfterFunc(2*time.Second, serving.Stop).Stop()
		serving.GracefulStop()
	}()
	logrus.Infof("Kine available at %s", o.listen)
	return serving.Serve(listener)
}

func listen(ctx context.Context, address string) (string, net.Listener, error) {
	scheme, place := util.SchemeAndAddress(address)
	var config net.ListenConfig
	if scheme != "unix" {
		listener, err := config.Listen(ctx, "tcp", place)
		return "http", listener, err
	}
	if err := os.Remove(place); err != nil && !errors.Is(err, os.ErrNotExist) {
		logrus.Warnf("remove old socket: %v", err)
	}
	listener, err := config.Listen(ctx, "unix", place)
	if err == nil {
		// For the group too: the folder's group is that of kube-apiserver, which runs as another user.
		err = os.Chmod(place, 0o660)
	}
	return scheme, listener, err
}

// newServer has the limits of etcd's own server.
func newServer() *grpc.Server {
	const requestLimit = 1536*1024 + 512*1024
	return grpc.NewServer(
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 2 * time.Hour, Timeout: 20 * time.Second}),
		grpc.MaxConcurrentStreams(math.MaxUint32),
		grpc.MaxRecvMsgSize(requestLimit),
		grpc.MaxSendMsgSize(math.MaxInt32),
	)
}
