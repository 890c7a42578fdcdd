package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"
)

// health answers whether the backend is up.
type health struct{ ready atomic.Bool }

func (h *health) up() { h.ready.Store(true) }

func (h *health) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if h.ready.Load() {
		fmt.Fprintln(w, "ok")
		return
	}
	http.Error(w, "backend is not up", http.StatusServiceUnavailable)
}

func serveHealth(ctx context.Context, address string) (*health, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for health checks: %w", err)
	}
	health := &health{}
	mux := http.NewServeMux()
	mux.Handle("/healthz", health)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(listener); ctx.Err() == nil {
			klog.ErrorS(err, "no health checks any more")
		}
	}()
	return health, nil
}
