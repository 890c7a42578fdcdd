package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// credentials are the flags of a client.
func credentials(flags *flag.FlagSet) *transport.TLSInfo {
	var files transport.TLSInfo
	flags.StringVar(&files.TrustedCAFile, "cacert", "", "`certificate` of the server's authority")
	flags.StringVar(&files.CertFile, "cert", "", "the client's `certificate`")
	flags.StringVar(&files.KeyFile, "key", "", "the client's `key`")
	return &files
}

// configure is the configuration of a client; without files, it trusts the system's authorities.
func configure(files *transport.TLSInfo, endpoints []string) (clientv3.Config, error) {
	config := clientv3.Config{Endpoints: endpoints, DialTimeout: patience, Logger: zap.NewNop()}
	if !strings.HasPrefix(endpoints[0], "https://") {
		return config, nil
	}
	if files.CertFile == "" {
		config.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		return config, nil
	}
	var err error
	config.TLS, err = files.ClientConfig()
	return config, err
}

// patience is how long a server may take to answer a look at it.
const patience = 5 * time.Second

// check looks whether a cluster of somebody else's can be used: a connection to a member, TLS, and leave to read. gRPC
// tells of none of these but that time was up, so each is tried by itself first.
func check(flags *flag.FlagSet, arguments []string) (any, error) {
	files := credentials(flags)
	prefix := flags.String("prefix", "/registry", "what keys begin with")
	rest, err := operands(flags, arguments, 1)
	if err != nil {
		return nil, err
	}
	endpoints := strings.Split(rest[0], ",")
	config, err := configure(files, endpoints)
	if err != nil {
		return nil, fmt.Errorf("etcd: the client's files: %w", err)
	}
	var refusals []error
	for _, endpoint := range endpoints {
		if err := reach(endpoint, config.TLS); err != nil {
			refusals = append(refusals, fmt.Errorf("etcd at `%s`: %w", endpoint, err))
		}
	}
	if len(refusals) == len(endpoints) {
		return nil, fmt.Errorf("%w; see that it runs and that this address is right", errors.Join(refusals...))
	}
	client, err := clientv3.New(config)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	if _, err := client.Get(ctx, *prefix, clientv3.WithPrefix(), clientv3.WithLimit(1), clientv3.WithKeysOnly()); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = errors.New("no answer in time: perhaps too few of its members run")
		}
		return nil, fmt.Errorf("etcd at `%s`: `%s` cannot be read: %w", rest[0], *prefix, err)
	}
	return struct{}{}, nil
}

func reach(endpoint string, secure *tls.Config) error {
	place, err := url.Parse(endpoint)
	if err != nil {
		return errors.New("not a URL")
	}
	dialer := net.Dialer{Timeout: patience}
	if secure == nil {
		connection, err := dialer.Dial("tcp", place.Host)
		if err != nil {
			return fmt.Errorf("no connection (%w)", innermost(err))
		}
		return connection.Close()
	}
	secure = secure.Clone()
	secure.NextProtos = []string{"h2"}
	connection, err := tls.DialWithDialer(&dialer, "tcp", place.Host, secure)
	if err != nil {
		return fmt.Errorf("no connection (%w)", innermost(err))
	}
	defer connection.Close()
	// In TLS 1.3 a server refuses a client's certificate only after the client's handshake is over.
	connection.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	var timeout net.Error
	if _, err := connection.Read(make([]byte, 1)); err != nil && !(errors.As(err, &timeout) && timeout.Timeout()) {
		return fmt.Errorf("it does not let this client in (%w)", innermost(err))
	}
	return nil
}

func innermost(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}
